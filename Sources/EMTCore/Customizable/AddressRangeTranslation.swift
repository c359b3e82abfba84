// SPDX-License-Identifier: MIT
public import SimMemory

/// What a page may be used for.
@frozen public struct Protection: Sendable, Equatable, BitwiseCopyable {
  /// Loads are allowed. Without it every access faults, whatever the other two say.
  public var isReadable: Bool
  /// Stores are allowed.
  public var isWritable: Bool
  /// Instruction fetches are allowed.
  public var isExecutable: Bool

  /// A combination of rights.
  @inlinable public init(readable: Bool, writable: Bool, executable: Bool) {
    isReadable = readable
    isWritable = writable
    isExecutable = executable
  }
}

/// What `copy` does with one object.
@frozen public enum CopyDecision: Sendable, BitwiseCopyable {
  /// The target does not get it.
  case skip
  /// The target gets it as it is.
  case share
  /// The target gets it without the right to store, and the source loses that right: copy-on-write.
  case shareProtected
}

/// Customizable functions 13–18: work on whole ranges, aligned to base pages.
///
/// A mapped object that reaches over an edge of the range is an error (`.sizeConflict`): split it first.
/// On failure everything before `RangeFailure.firstNotDone` is done and flushed, and nothing from there on was touched.
public protocol AddressRangeTranslation: TranslationDatabaseBasics {
  /// Customizable 13: whether nothing is mapped in `range` (EMT paper: `addr_range_void`).
  func isVoid(_ range: VirtualRange) -> Bool

  /// Customizable 14: how many base pages of `range` are mapped; a huge page counts with its part in the range.
  func countMapped(in range: VirtualRange) -> UInt64

  /// Customizable 15: removes every mapped object in `range`; `visit` sees each, in order of address.
  ///
  /// Tables that are empty now may be freed.
  func removeAll(in range: VirtualRange, _ visit: (Object) -> Void) throws(RangeFailure) -> FlushObligation

  /// Customizable 16: gives every present object in `range` the rights of `protection`. Swapped-out objects have none.
  func setProtection(
    in range: VirtualRange, to protection: Protection
  ) throws(RangeFailure) -> FlushObligation

  /// Customizable 17: copies the mapped objects of `range` into `target` (fork). `target` holds nothing there.
  /// - Parameters:
  ///   - decide: sees each object before it is copied, and must have no effects.
  ///   - copied: sees each object that the target got, as it was in the source; count references here.
  /// - Returns: the flush that this database owes because pages became read-only.
  func copy(
    _ range: VirtualRange, into target: Self, decide: (Object) -> CopyDecision, copied: (Object) -> Void
  ) throws(RangeFailure) -> FlushObligation

  /// Customizable 18: moves the mapped objects of `range` to the range that starts at `start` and holds nothing
  /// (mremap). The two ranges do not overlap. Attributes travel along.
  /// - Returns: the flush of the old range.
  func move(_ range: VirtualRange, to start: VirtualAddress) throws(RangeFailure) -> FlushObligation
}

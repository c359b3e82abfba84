// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// A lock over a range: that of one 2 MiB region where the range lies inside one, else that of the database. See
/// `RadixTree` for the protocol.
@frozen public struct RadixLock: Sendable, BitwiseCopyable {
  /// How it is held through this value.
  public var mode = LockMode.none
  /// The start of the region, or nil for the exclusive form.
  @usableFromInline let region: VirtualAddress?
  /// The level-1 word that is locked; 0 when the exclusive form is held.
  @usableFromInline var word = PhysicalAddress(0)

  @inlinable init(region: VirtualAddress?) { self.region = region }

  /// Bit 53 of a level-1 word: somebody holds the region alone.
  @inlinable static var writer: UInt64 { 1 &<< 53 }
  /// One reader in bits 54–58 of a level-1 word; at most 31, the next one waits.
  @inlinable static var reader: UInt64 { 1 &<< 54 }
  @inlinable static var readers: UInt64 { 31 &<< 54 }
  /// All lock bits.
  @inlinable static var bits: UInt64 { writer | readers }
}

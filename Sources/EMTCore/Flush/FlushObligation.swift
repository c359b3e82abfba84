// SPDX-License-Identifier: MIT
public import SimMemory

/// The duty to tell TLBs that translations changed. Whoever gets one gives it to `settle` of the same database.
///
/// Not copyable, and it traps when an owed one is dropped, so a forgotten flush cannot pass a test that gets there.
@frozen public struct FlushObligation: ~Copyable, Sendable {
  /// Where translations changed.
  public let range: VirtualRange
  /// The smallest page size that changed: how finely the range has to be flushed.
  public let stride: PageSize
  /// Whether a TLB may hold what changed. Adding a translation where there was none owes nothing.
  public let isOwed: Bool

  /// Owes a flush of `range`, in which pages of `stride` changed.
  @inlinable public init(owing range: VirtualRange, stride: PageSize) {
    self.range = range
    self.stride = stride
    isOwed = !range.isEmpty
  }

  /// Owes nothing.
  @inlinable public static var none: FlushObligation {
    FlushObligation(owing: VirtualRange(VirtualAddress(0), VirtualAddress(0)), stride: .base)
  }

  deinit { if isOwed { trapOnDroppedFlush() } }

  /// Ends the duty. For `settle` and for code that has flushed more than this range itself.
  @inlinable public consuming func discharge() { discard self }
}

@usableFromInline @inline(never) func trapOnDroppedFlush() {
  preconditionFailure("a flush obligation was dropped: pass it to the database's `settle`")
}

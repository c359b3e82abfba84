// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

/// Adds up the flushes that the steps of a range operation owe, into one obligation.
@frozen public struct FlushSpan: ~Copyable, Sendable {
  @usableFromInline var range = VirtualRange(VirtualAddress(0), VirtualAddress(0))
  @usableFromInline var stride = PageSize.base

  /// Nothing owed yet.
  @inlinable public init() {}

  deinit { if !range.isEmpty { trapOnDroppedFlush() } }

  /// Takes over what a change owes.
  @inlinable public mutating func add<Object>(_ change: consuming Change<Object>) {
    add(change.takeObligation())
  }

  /// Takes over an obligation.
  @inlinable public mutating func add(_ obligation: consuming FlushObligation) {
    if obligation.isOwed { add(obligation.range, stride: obligation.stride) }
    obligation.discharge()
  }

  /// A page of `size` at `start`, which a TLB may hold, changed.
  @inlinable public mutating func add(page start: VirtualAddress, _ size: PageSize) {
    add(VirtualRange(start, bytes: size.bytes), stride: size)
  }

  /// Pages of `stride` in `changed` changed.
  @inlinable public mutating func add(_ changed: VirtualRange, stride: PageSize) {
    if range.isEmpty || Mutation.flushSpanKeepsLast.isPlanted {
      range = changed
      self.stride = stride
    } else {
      range = VirtualRange(Swift.min(range.start, changed.start), Swift.max(range.end, changed.end))
      self.stride = Swift.min(self.stride, stride)
    }
  }

  /// Hands the sum on.
  @inlinable public consuming func obligation() -> FlushObligation {
    let (range, stride) = (range, stride)
    discard self
    return FlushObligation(owing: range, stride: stride)
  }
}

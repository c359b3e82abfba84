// SPDX-License-Identifier: MIT

/// A place for hot mutable state of a class, reached through a `let`, so that no exclusivity check runs at each access:
/// six of them were a fifth of a page fault.
///
/// SAFETY: the owner calls `release` once, in its `deinit`. One CPU at a time works on a cell, and nobody starts an
/// access while a change of the same cell is open.
@safe @frozen public struct HotCell<Value> {
  @usableFromInline let pointer: UnsafeMutablePointer<Value>

  /// A cell that holds `value`.
  @inlinable public init(_ value: Value) {
    unsafe pointer = .allocate(capacity: 1)
    unsafe pointer.initialize(to: value)
  }

  /// What the cell holds.
  @inlinable public var value: Value {
    unsafeAddress { unsafe UnsafePointer(pointer) }
    nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// Frees the cell.
  @inlinable public func release() {
    unsafe pointer.deinitialize(count: 1)
    unsafe pointer.deallocate()
  }
}

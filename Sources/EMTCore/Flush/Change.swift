// SPDX-License-Identifier: MIT
internal import SimMemory

/// What an update or a removal did: the object that was there before, and the flush that is owed for it.
@frozen public struct Change<Object: TranslationObject>: ~Copyable, Sendable {
  /// The object before the change; unmapped where there was none.
  ///
  /// Not a stored property: the optimiser of Swift 6.3 loses what is read from a field of a generic non-copyable value
  /// that another field is moved out of later.
  @inlinable public var old: Object { before }
  @usableFromInline let before: Object
  @usableFromInline let obligation: FlushObligation

  /// Describes a change of `old`. A flush is owed when a TLB may hold it: when it was mapped and in memory.
  @inlinable public init(old: Object) {
    before = old
    obligation =
      old.isPresent ? FlushObligation(owing: old.span, stride: old.size) : .none
  }

  /// Describes a change of `old` for which a flush of `obligation` is owed.
  @inlinable public init(old: Object, obligation: consuming FlushObligation) {
    before = old
    self.obligation = obligation
  }

  /// Whether a flush is owed.
  @inlinable public var isFlushOwed: Bool { obligation.isOwed }

  /// Gives up the old object and leaves the duty.
  @inlinable public consuming func takeObligation() -> FlushObligation { obligation }
}

// SPDX-License-Identifier: MIT

/// What a walk finds.
@frozen public enum WalkOutcome: Hashable, Sendable, BitwiseCopyable {
  /// A page; the access is allowed.
  case translated(Translation)
  /// No page, or none that allows the access.
  case fault(FaultReason)
}

/// What a walk finds and what it took.
@frozen public struct WalkResult: Hashable, Sendable, BitwiseCopyable {
  /// Translation or fault.
  public var outcome: WalkOutcome
  /// Table words read from memory, over all rounds; a word that had to be read again counts again.
  public var references: UInt16
  /// Steps that had to wait for the one before; words that are read side by side count once.
  public var rounds: UInt16
  /// Words whose accessed or dirty bits the walk set.
  public var updates: UInt16
  /// Cycles spent inside the walker: walk-cache probes, hashing.
  public var ownCycles: UInt16

  /// Describes a walk.
  @inlinable public init(
    _ outcome: WalkOutcome, references: UInt16 = 0, rounds: UInt16 = 0, updates: UInt16 = 0,
    ownCycles: UInt16 = 0
  ) {
    self.outcome = outcome
    self.references = references
    self.rounds = rounds
    self.updates = updates
    self.ownCycles = ownCycles
  }

  /// The page, or nil on a fault.
  @inlinable public var translation: Translation? {
    if case .translated(let translation) = outcome { translation } else { nil }
  }

  /// The reason of a fault, or nil.
  @inlinable public var fault: FaultReason? {
    if case .fault(let reason) = outcome { reason } else { nil }
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// What one kind of access asked of the TLBs.
@frozen public struct AccessStatistics: Hashable, Sendable, BitwiseCopyable {
  /// Translations asked for.
  public var lookups: UInt64 = 0
  /// Answered by the second level.
  public var secondLevelHits: UInt64 = 0
  /// Answered by a walk, faults included: `misses` and `rewalks` together.
  public var walks: UInt64 = 0
  /// Walks although a TLB had the page: its entry did not allow the access, or was clean and the access a store.
  public var rewalks: UInt64 = 0
  /// Walks that found a fault.
  public var faults: UInt64 = 0

  /// All zero.
  @inlinable public init() {}

  /// Answered by the first level.
  @inlinable public var firstLevelHits: UInt64 { lookups &- secondLevelHits &- walks }
  /// Pages that no TLB had.
  @inlinable public var misses: UInt64 { walks &- rewalks }
}

/// What one CPU's translation hardware did since its counters were reset.
@frozen public struct TranslationStatistics: Sendable, BitwiseCopyable {
  /// By kind of access: fetch, load, store.
  @usableFromInline var kinds: InlineArray<3, AccessStatistics>
  /// Walks that found a page, by its size: 4 KiB, 2 MiB, 1 GiB. Other sizes count as the next smaller.
  @usableFromInline var sizes: InlineArray<3, UInt64>
  /// Table words that walks read.
  public var walkReferences: UInt64 = 0
  /// Rounds of walks: reads that waited for the one before.
  public var walkRounds: UInt64 = 0
  /// Words whose accessed or dirty bits walks set.
  public var walkUpdates: UInt64 = 0
  /// Cycles that walks took; see `CycleCosts`.
  public var walkCycles: UInt64 = 0

  /// All zero.
  @inlinable public init() {
    kinds = InlineArray(repeating: AccessStatistics())
    sizes = InlineArray(repeating: 0)
  }

  /// The counts of one kind of access.
  @inlinable public subscript(access: AccessKind) -> AccessStatistics { kinds[Int(access.rawValue)] }

  /// Walks that found a page of `size`.
  @inlinable public func walks(finding size: PageSize) -> UInt64 { sizes[Int(TLBLevel.sizeClass(size))] }

  /// The counts of all kinds of access together.
  public var total: AccessStatistics {
    var sum = AccessStatistics()
    for kind in AccessKind.allCases {
      sum.lookups += self[kind].lookups
      sum.secondLevelHits += self[kind].secondLevelHits
      sum.walks += self[kind].walks
      sum.rewalks += self[kind].rewalks
      sum.faults += self[kind].faults
    }
    return sum
  }
}

/// A simple model of how long walks take: no data caches, every reference costs the same.
///
/// cycles = `round` for each round + `update` for each word marked accessed or dirty + the walker's own cycles
/// (walk-cache probes, hashing). Words read side by side cost one round.
@frozen public struct CycleCosts: Hashable, Sendable, BitwiseCopyable {
  /// Cycles for a table word; 16 is the second-level data cache, where page walks look first.
  public var round: UInt64
  /// Cycles for a locked update of a word that was just read.
  public var update: UInt64

  /// Costs in cycles.
  public init(round: UInt64 = 16, update: UInt64 = 20) {
    self.round = round
    self.update = update
  }

  /// What a walk takes.
  @inlinable public func cycles(_ walk: WalkResult) -> UInt64 {
    UInt64(walk.rounds) &* round &+ UInt64(walk.updates) &* update &+ UInt64(walk.ownCycles)
  }
}

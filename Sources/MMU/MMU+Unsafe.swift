// SPDX-License-Identifier: MIT
public import SimMemory

/// The mutable part of an MMU but for its walker.
@frozen @usableFromInline struct MMUState {
  @usableFromInline let fetch: TLBLevel
  @usableFromInline let data: TLBLevel
  @usableFromInline let second: TLBLevel
  @usableFromInline var statistics = TranslationStatistics()

  init(_ configuration: TLBConfiguration) {
    fetch = TLBLevel(configuration.fetch)
    data = TLBLevel(configuration.data)
    second = TLBLevel(configuration.second)
  }
}

/// A handle to one CPU's translation hardware: TLBs in front of a page walker.
///
/// `SimulatedMMU` owns what the handle points at and must outlive it. One CPU is simulated by one thread at a
/// time, so calls never overlap; an invalidation from another CPU is delivered by whoever runs this one.
/// Nothing is coherent by itself, exactly as on x86: entries stay until they are evicted, invalidated, or their
/// address faults.
///
/// SAFETY: `state` is initialised memory of the owner.
@safe @frozen public struct MMU<Walker: PageWalker>: @unchecked Sendable {
  @usableFromInline let state: UnsafeMutablePointer<MMUState>
  /// The page walker behind the TLBs.
  public let walker: Walker
  /// What walks cost.
  public let costs: CycleCosts

  init(walker: Walker, tlbs: TLBConfiguration, costs: CycleCosts) {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: MMUState(tlbs))
    self.walker = walker
    self.costs = costs
  }

  func release() {
    for level in [fetchTLB, dataTLB, secondTLB] { level.release() }
    unsafe state.deallocate()
    walker.release()
  }

  @inlinable @inline(__always) var fetchTLB: TLBLevel { unsafe state.pointee.fetch }
  @inlinable @inline(__always) var dataTLB: TLBLevel { unsafe state.pointee.data }
  @inlinable @inline(__always) var secondTLB: TLBLevel { unsafe state.pointee.second }

  /// What was counted since the last reset.
  @inlinable public var statistics: TranslationStatistics { unsafe state.pointee.statistics }

  /// Sets all counters to zero; TLBs and walk caches keep what they hold.
  public func resetStatistics() { unsafe state.pointee.statistics = TranslationStatistics() }

  @inlinable @inline(__always) func countLookup(_ access: AccessKind) {
    unsafe state.pointee.statistics.kinds[unchecked: Int(access.rawValue)].lookups &+= 1
  }

  @inlinable func countSecondLevelHit(_ access: AccessKind) {
    unsafe state.pointee.statistics.kinds[unchecked: Int(access.rawValue)].secondLevelHits &+= 1
  }

  @inlinable func countWalk(_ walk: WalkResult, _ access: AccessKind, isRewalk: Bool) {
    let kind = Int(access.rawValue)
    unsafe state.pointee.statistics.kinds[unchecked: kind].walks &+= 1
    if isRewalk { unsafe state.pointee.statistics.kinds[unchecked: kind].rewalks &+= 1 }
    if let translation = walk.translation {
      unsafe state.pointee.statistics.sizes[Int(TLBLevel.sizeClass(translation.size))] &+= 1
    } else {
      unsafe state.pointee.statistics.kinds[unchecked: kind].faults &+= 1
    }
    unsafe state.pointee.statistics.walkReferences &+= UInt64(walk.references)
    unsafe state.pointee.statistics.walkRounds &+= UInt64(walk.rounds)
    unsafe state.pointee.statistics.walkUpdates &+= UInt64(walk.updates)
    unsafe state.pointee.statistics.walkCycles &+= costs.cycles(walk)
  }
}

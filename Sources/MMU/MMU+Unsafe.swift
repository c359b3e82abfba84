// SPDX-License-Identifier: MIT
public import SimMemory

/// What the inline part of `translate` needs for one kind of access, in half a cache line.
///
/// SAFETY: `slots` belongs to a TLB of the same owner.
@safe @frozen @usableFromInline struct FastPath {
  /// The slots for 4 KiB pages; one that is always empty when the number of sets is not a power of two.
  @usableFromInline let slots: UnsafeMutableRawPointer
  @usableFromInline let mask: UInt64
  /// Bytes from set to set.
  @usableFromInline let stride: UInt64
  @usableFromInline var lookups: UInt64 = 0

  init(_ tlb: TLBLevel) {
    let array = tlb.array(0)
    let isUsable = array.sets > 0 && array.sets & (array.sets - 1) == 0
    unsafe slots = UnsafeMutableRawPointer(isUsable ? array.slots : array.slots - 1)
    mask = isUsable ? array.sets - 1 : 0
    stride = isUsable ? UInt64(array.ways * MemoryLayout<TagArray.Slot>.stride) : 0
  }
}

/// The mutable part of an MMU but for its walker.
@frozen @usableFromInline struct MMUState {
  /// By kind of access.
  @usableFromInline var paths: InlineArray<3, FastPath>
  @usableFromInline let fetch: TLBLevel
  @usableFromInline let data: TLBLevel
  @usableFromInline let second: TLBLevel
  @usableFromInline var statistics = TranslationStatistics()

  init(_ configuration: TLBConfiguration) {
    fetch = TLBLevel(configuration.fetch)
    data = TLBLevel(configuration.data)
    second = TLBLevel(configuration.second)
    paths = [FastPath(fetch), FastPath(data), FastPath(data)]
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
  public var statistics: TranslationStatistics {
    var statistics = unsafe state.pointee.statistics
    for kind in AccessKind.allCases {
      let index = Int(kind.rawValue)
      statistics.kinds[index].lookups = unsafe state.pointee.paths[index].lookups
    }
    return statistics
  }

  /// Sets all counters to zero; TLBs and walk caches keep what they hold.
  public func resetStatistics() {
    unsafe state.pointee.statistics = TranslationStatistics()
    for kind in 0..<3 { unsafe state.pointee.paths[kind].lookups = 0 }
  }

  @inlinable @inline(__always) func countLookup(_ access: AccessKind) {
    unsafe state.pointee.paths[unchecked: Int(access.rawValue)].lookups &+= 1
  }

  /// The word of the 4 KiB entry that its set's last access used, if that is for `address`; else 0.
  @inlinable @inline(__always)
  func mostRecent(_ address: VirtualAddress, _ access: AccessKind, _ spaceID: UInt16) -> UInt64 {
    let kind = Int(access.rawValue)
    let number = address.raw &>> 12
    let set = unsafe number & state.pointee.paths[unchecked: kind].mask
    let offset = unsafe Int(truncatingIfNeeded: set &* state.pointee.paths[unchecked: kind].stride)
    let slot = unsafe state.pointee.paths[unchecked: kind].slots + offset
    let tag = Tag.of(address, shift: 12, sizeClass: 0, spaceID)
    return unsafe slot.load(as: UInt64.self) == tag ? slot.load(fromByteOffset: 8, as: UInt64.self) : 0
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

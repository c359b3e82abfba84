// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ClusterTable {
  /// The next group at or behind `position` and before `end`; `position` moves behind it. Voids are passed.
  @inlinable public func nextGroup(_ position: inout VirtualAddress, _ end: VirtualAddress) -> ClusterGroup? {
    while position < end {
      context.meter.count(.lookup)
      let group = group(at: position, end)
      let behind = group.span.end
      position = behind.raw == 0 || behind > end ? end : behind
      if group.location != 0 {
        context.meter.count(.rangeGroup)
        return group
      }
    }
    return nil
  }

  /// Calls `body` for every group in `range`; on failure the flushes so far are settled.
  @inlinable @inline(__always)
  public func forEachGroup(
    in range: VirtualRange, _ body: (ClusterGroup, inout FlushSpan) throws(RangeFailure) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    context.meter.count(.rangeCall)
    var flushed = FlushSpan()
    var position = range.start
    while let group = nextGroup(&position, range.end) {
      do throws(RangeFailure) {
        guard group.size == .base || range.contains(group.span) else {
          throw RangeFailure(
            firstNotDone: Swift.max(group.start, range.start),
            reason: .sizeConflict(existing: group.start, size: group.size))
        }
        try body(group, &flushed)
      } catch {
        settle(flushed.obligation())
        throw error
      }
    }
    return flushed.obligation()
  }

  /// What is at `address`, and behind it in the same cluster before `end`; a void has no location.
  @inlinable public func group(at address: VirtualAddress, _ end: VirtualAddress) -> ClusterGroup {
    while true {
      let generation = context.generation
      let object = search(address, generation)
      var group = ClusterGroup(address.aligned(down: object.size), object.size, count: 1)
      group.location = object.location
      group.generation = generation
      if object.location != 0, object.size == .base {
        let inCluster = 8 &- Int(truncatingIfNeeded: address.pageNumber & 7)
        group.count = Swift.min(inCluster, Int(clamping: VirtualRange(address, end).pages))
        for index in 0..<group.count {
          let raw = memory.loadAcquire(PhysicalAddress(object.location).advanced(by: UInt64(index) &<< 3))
          group.words[index] = X86Entry(raw).mapping
        }
      } else {
        group.words[0] = object.entry.mapping
      }
      if context.generation == generation { return group }
    }
  }

  /// Where the first entry of `group` is now: as remembered, or searched for. The structure lock is held.
  @inlinable public func location(of group: ClusterGroup) -> PhysicalAddress? {
    if group.location != 0, group.generation == context.generation {
      return PhysicalAddress(group.location)
    }
    return ClusterFormat.table(for: group.size).flatMap { entry(group.start, $0) }
  }

  /// Changes the mappings of `group` where they are, keeping what the hardware sets meanwhile.
  @inlinable public func rewrite(_ group: ClusterGroup, _ body: (UInt64) -> UInt64) {
    shared {
      guard let place = location(of: group) else { return }
      for index in 0..<group.count where group.words[index] != 0 {
        change(place.advanced(by: UInt64(truncatingIfNeeded: index) &<< 3)) { raw in
          body(X86Entry(raw).mapping) | raw & X86Entry.schemeMask
        }
      }
    }
  }
}

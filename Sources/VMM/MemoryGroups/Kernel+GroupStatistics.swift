// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// What the pages of a group and of its parts are. O(pages charged).
  /// - Throws: `.enoent`.
  public func statistics(ofGroup number: UInt16) throws(Errno) -> MemoryGroupStatistics {
    _ = try group(number)
    let (groups, table) = (memoryGroups.value, platform.frames.table)
    var statistics = MemoryGroupStatistics()
    var head = FrameNumber(0)
    for raw in groups.frames.positions(in: 0..<(.max)) {
      let frame = FrameNumber(raw)
      if raw & (hugeSize.basePages - 1) == 0 { head = frame }
      guard groups.isPart(groups.group(of: frame), of: number) else { continue }
      // Of a huge page only the first frame says what it is.
      let isInside = table.pageFlags(head).contains(.hugeHead) && raw - head.raw < hugeSize.basePages
      let page = isInside ? head : frame
      let flags = table.pageFlags(page)
      if flags.contains(.anonymous) {
        statistics.anonymous += 1
      } else {
        statistics.cache += 1
        if table.mappings(page) > 0 { statistics.mappedFile += 1 }
        let file = FileID(PageKey(word: table.word(page)).number)
        if file != .none, files[file].kind == .sharedMemory { statistics.sharedMemory += 1 }
      }
    }
    for (entry, group) in groups.slots where groups.isPart(group, of: number) {
      guard swapCell.value.areas[Int(entry.area)] != nil else { continue }
      if swapCell.value.users(entry) > 0, swapCell.value.frame(entry) == nil { statistics.swapped += 1 }
    }
    statistics.unevictable = lockedPages(ofGroup: number, groups)
    let faults = faults(ofGroup: number, groups)
    statistics.faults = faults.minorFaults + faults.majorFaults
    statistics.majorFaults = faults.majorFaults
    return statistics
  }

  /// Pages charged to a group that a locked area maps.
  private func lockedPages(ofGroup number: UInt16, _ groups: MemoryGroups) -> UInt64 {
    var locked: Set<UInt64> = []
    for space in spaces {
      for area in space.layout.areas.areas where area.flags.contains(.locked) {
        var iterator = space.database.makeIterator(over: area.range)
        while let object = space.database.nextMapped(&iterator) {
          guard object.isPresent, !object.isSpecial else { continue }
          for step in 0..<object.size.basePages {
            let frame = object.frame.advanced(by: step)
            if groups.isPart(groups.group(of: frame), of: number) { locked.insert(frame.raw) }
          }
        }
        space.database.endIteration(iterator)
      }
    }
    return UInt64(locked.count)
  }

  private func faults(ofGroup number: UInt16, _ groups: MemoryGroups) -> ProcessUsage {
    var faults = ProcessUsage()
    for index in groups.groups.indices where groups.isPart(UInt16(index + 1), of: number) {
      if let former = groups.groups[index]?.formerFaults { faults.add(former) }
    }
    for member in groups.members(of: number) {
      if let space = spaceCell.value[Int(member.space)] { faults.add(space.faults, since: member.faults) }
    }
    return faults
  }

  /// Compares what is charged with what is in memory, for tests.
  /// - Returns: the first difference in words, nil when there is none.
  func brokenGroup() -> String? {
    let groups = memoryGroups.value
    guard groups.isInUse else { return nil }
    var charged: [UInt16: UInt64] = [:]
    for raw in groups.frames.positions(in: 0..<(.max)) {
      for number in groups.chain(groups.group(of: FrameNumber(raw))) { charged[number, default: 0] += 1 }
    }
    for index in groups.groups.indices {
      guard let group = groups.groups[index] else { continue }
      let counted = charged[UInt16(index + 1)] ?? 0
      if counted != group.usage {
        return "\(counted) pages are charged to \(group.name), \(group.usage) counted"
      }
    }
    return nil
  }
}

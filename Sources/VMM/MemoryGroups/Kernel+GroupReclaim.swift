// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Reclaim and the end of memory inside a group.
extension Kernel {
  /// Tries to free `count` pages of a group and its parts: pages that were not used lately first, pages in use in the end.
  ///
  /// There are no lists per group: the lists of all nodes are searched, O(pages in memory) for each batch of 32.
  /// - Returns: how many were freed.
  @inlinable public func reclaim(group number: UInt16, count: UInt64) -> UInt64 {
    let mark = meter.enter(.reclaim)
    defer { meter.leave(mark) }
    var freed: UInt64 = 0
    for ignoresUse in [false, true] {
      var seen: Set<UInt64> = []
      while freed < count {
        let batch = isolate(group: number, count: Swift.min(count &- freed, batchSize), passing: &seen)
        if batch.isEmpty { break }
        freed &+= evict(batch, ignoringUse: ignoresUse)
      }
    }
    return freed
  }

  /// Takes pages of a group off their lists that were not looked at yet, the oldest first.
  @usableFromInline
  func isolate(group number: UInt16, count: UInt64, passing seen: inout Set<UInt64>) -> [FrameNumber] {
    var batch: [FrameNumber] = []
    let table = platform.frames.table
    for node in 0..<platform.frames.nodeCount {
      for slot in 0..<4 {
        for isAnonymous in [false, true] where !isAnonymous || canSwap || swapCell.value.cached > 0 {
          var next = pageLists.last(PageListID(isAnonymous: isAnonymous, slot: slot), node: node)
          while let frame = next, UInt64(batch.count) < count {
            let previous = table.previous(frame)
            if memoryGroups.value.isPart(memoryGroups.value.group(of: frame), of: number),
              seen.insert(frame.raw).inserted
            {
              pageLists.remove(frame)
              batch.append(frame)
            }
            next = previous.raw == 0 ? nil : previous
          }
        }
      }
    }
    reclaimCell.value.counts.scanned += UInt64(batch.count)
    return batch
  }

  /// The group whose limit stood in the way of the last frame.
  @usableFromInline var obstacle: UInt16 { memoryGroups.value.obstacle }

  /// Nothing can be reclaimed in a group: ends the process in it that gives most, unless that is the one that wants memory:
  /// its fault is refused then, and who runs it ends it.
  /// - Returns: whether memory was freed.
  @inlinable func endShortage(ofGroup number: UInt16, for space: Space<Database>) -> Bool {
    guard let victim = groupVictim(number), victim.space !== space else { return false }
    noteKill(number)
    for pid in users(of: victim.space) { exit(pid) }
    return true
  }

  @usableFromInline func groupVictim(_ number: UInt16) -> Process<Database>? {
    memoryGroups.value[number]?.shortages += 1
    let spaces = memoryGroups.value.members(of: number).map(\.space)
    var victim: Process<Database>?
    for pid in processes.keys.sorted() {
      guard let candidate = processes[pid], spaces.contains(candidate.space.number) else { continue }
      if victim.map({ badness(of: candidate) > badness(of: $0) }) ?? true { victim = candidate }
    }
    guard let victim, let group = memoryGroups.value[number] else { return nil }
    shortageReport =
      "out of memory in group \(group.name): \(group.usage) of \(group.limit) pages are used, and nothing more can "
      + "be reclaimed; the largest process in it is \(victim.pid) with \(victim.space.residentPages) pages in memory"
    return group.isKilling ? victim : nil
  }

  @usableFromInline func noteKill(_ number: UInt16) { memoryGroups.value[number]?.kills += 1 }
}

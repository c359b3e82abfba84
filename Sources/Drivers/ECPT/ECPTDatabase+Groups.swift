// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
internal import EntryFormats
public import SimMemory

extension ECPTDatabase {
  /// Stores what `group` maps, at once for the whole cluster, and moves a resize of the table on.
  public func put(_ group: inout ClusterGroup) throws(TranslationError) {
    let table = try table(for: group.object(0))
    try alone { () throws(TranslationError) in
      guard let summary = summary(of: group.start) ?? makeSummary(group.start) else { throw .outOfMemory }
      if !isFree(summary, group.start, table), let conflict = otherSize(group.object(0)) {
        throw conflict
      }
      let number = ECPTFormat.number(group.start, table)
      let first = ClusterFormat.entryOffset(group.start, table)
      let isLocated = group.location != 0 && group.generation == context.generation
      var fresh: Int64 = 0
      let (slot, free) =
        isLocated ? (PhysicalAddress(group.location & ~63), nil) : slotOrFree(number, table)
      if let slot {
        for index in 0..<group.count where group.words[index] != 0 {
          let raw = store(group.words[index], at: slot.advanced(by: first &+ UInt64(index) &<< 3))
          group.words[index] = X86Entry(raw).mapping
          if group.words[index] == 0 { fresh &+= 1 }
        }
        stepOne(table)
      } else {
        var hasStepped = false
        guard let slot = claim(number, table, free, &hasStepped) else {
          dropSummary(group.start)
          throw .outOfMemory
        }
        fresh = fill(slot, number, table, group, first)
        context.meter.count(.groupMade)
        if !hasStepped { stepOne(table) }
        group.words = InlineArray(repeating: 0)
      }
      if fresh != 0, tally(summary, group.start, table, fresh) { refreshHeaders(group.start) }
    }
  }

  /// Removes what `group` has pages for.
  public func takeOut(_ group: inout ClusterGroup) {
    guard let table = ClusterFormat.table(for: group.size) else {
      return group.words = InlineArray(repeating: 0)
    }
    var isBoundary = false
    shared {
      guard let place = location(of: group) else { return group.words = InlineArray(repeating: 0) }
      var gone: Int64 = 0
      for index in 0..<group.count where group.words[index] != 0 {
        let raw = erase(at: place.advanced(by: UInt64(index) &<< 3), table)
        group.words[index] = X86Entry(raw).mapping
        if group.words[index] != 0 { gone &-= 1 }
      }
      if gone != 0 { isBoundary = tally(summary(of: group.start), group.start, table, gone) }
    }
    if isBoundary { noteBoundary(group.start) }
  }

  /// Frees summaries of a range that was removed, and makes tables smaller, or moves that on by a step.
  public func giveBack(_ range: VirtualRange) {
    alone {
      dropSummaries(range)
      for table in 0..<ECPTFormat.tables { shrinkIfSparse(table) }
      stepOne(0)
    }
  }
}

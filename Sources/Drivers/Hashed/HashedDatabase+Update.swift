// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension HashedDatabase {
  /// Basic 5.
  @inlinable public func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    if wasKnown(object), let old = replace(object) { return replaced(object, old) }
    return try insert(object)
  }

  /// Stores into an entry whose place is known still; nil when it is not.
  @inlinable @inline(__always) func replace(_ object: X86Object) -> UInt64? {
    shared { () -> UInt64? in
      guard object.generation == context.generation else { return nil }
      let old = exchange(object.entry.mapping, at: PhysicalAddress(object.location))
      if old == 0 { tally(summary(of: object.start), object.start, 0, 1) }
      return old
    }
  }

  /// Changes the mapping in an entry of a cluster, whose scheme bits stay. The structure lock is held.
  /// - Returns: the mapping before.
  @inlinable @inline(__always) func exchange(_ mapping: UInt64, at entry: PhysicalAddress) -> UInt64 {
    let scheme = memory.loadRelaxed(entry) & X86Entry.schemeMask
    return X86Entry(memory.exchange(mapping | scheme, at: entry)).mapping
  }

  /// Stores what `group` maps into its cluster, or makes that, and moves resizes on by a step.
  public func put(_ group: inout ClusterGroup) throws(TranslationError) {
    let table = try table(for: group.object(0))
    try alone { () throws(TranslationError) in
      guard let summary = summary(of: group.start) ?? makeSummary(group.start) else { throw .outOfMemory }
      if !isFree(summary, group.start, table), let conflict = otherSize(group.object(0)) { throw conflict }
      var fresh: Int64 = 0
      if let place = location(of: group) {
        fresh = Int64(exchange(&group, at: place))
      } else {
        let number = ClusterFormat.number(group.start, table)
        guard let slot = claim(number, table) else {
          dropSummary(group.start)
          throw .outOfMemory
        }
        context.meter.count(.groupMade)
        fill(slot, number, table, group.words, ClusterFormat.entryOffset(group.start, table))
        for index in 0..<group.count where group.words[index] != 0 { fresh += 1 }
        group.words = InlineArray(repeating: 0)
      }
      if fresh != 0 { tally(summary, group.start, table, fresh) }
      stepAll()
    }
  }

  /// Removes what `group` has pages for, and frees the cluster's slot when it maps nothing then.
  public func takeOut(_ group: inout ClusterGroup) {
    guard let table = ClusterFormat.table(for: group.size) else {
      return group.words = InlineArray(repeating: 0)
    }
    alone {
      guard let place = location(of: group) else { return group.words = InlineArray(repeating: 0) }
      let gone = group.mapped.count - exchange(&group, at: place, isRemoved: true)
      if gone != 0 { tally(summary(of: group.start), group.start, table, -Int64(gone)) }
      let slot = PhysicalAddress(place.raw & ~63)
      if isEmpty(slot) { free(slot, table) }
    }
  }

  /// Stores the mappings of `group`, or nothing in their place, from the entry at `place` on.
  /// - Returns: in how many places nothing was mapped.
  private func exchange(
    _ group: inout ClusterGroup, at place: PhysicalAddress, isRemoved: Bool = false
  ) -> Int {
    var voids = 0
    for index in 0..<group.count where group.words[index] != 0 {
      let entry = place.advanced(by: UInt64(index) << 3)
      group.words[index] = exchange(isRemoved ? 0 : group.words[index], at: entry)
      if group.words[index] == 0 { voids += 1 }
    }
    return voids
  }
}

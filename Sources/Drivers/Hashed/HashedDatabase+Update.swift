// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension HashedDatabase {
  /// Where the entry of `table` for `address` is, nil when there is no cluster. The structure lock is held.
  @inlinable public func entry(_ address: VirtualAddress, _ table: Int) -> PhysicalAddress? {
    context.meter.count(.lookup)
    let array = current(table)
    guard array.isOccupied, let slot = slot(of: ClusterFormat.number(address, table), table, array) else {
      return nil
    }
    return slot.advanced(by: ClusterFormat.entryOffset(address, table))
  }

  /// Basic 5.
  @inlinable public func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    try update(object, known: wasKnown(object) ? replace(object) : nil)
  }

  /// Stores into an entry whose place is known still; nil when it is not.
  @inlinable @inline(__always) func replace(_ object: X86Object) -> UInt64? {
    shared { () -> UInt64? in
      guard object.generation == context.generation else { return nil }
      return exchange(object.entry.mapping, at: PhysicalAddress(object.location))
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
    let isOnlySize = !(0..<ClusterFormat.tables).contains { $0 != table && current($0).isOccupied }
    if !isOnlySize, let conflict = otherSize(group.object(0)) { throw conflict }
    try alone { () throws(TranslationError) in
      if let place = location(of: group) {
        exchange(&group, at: place)
      } else {
        let number = ClusterFormat.number(group.start, table)
        let slot = try claim(number, table)
        fill(slot, number, table, group.words, ClusterFormat.entryOffset(group.start, table))
        group.words = InlineArray(repeating: 0)
      }
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
      exchange(&group, at: place, isRemoved: true)
      let slot = PhysicalAddress(place.raw & ~63)
      if isEmpty(slot) { free(slot, table) }
    }
  }

  /// Stores the mappings of `group`, or nothing in their place, from the entry at `place` on.
  private func exchange(_ group: inout ClusterGroup, at place: PhysicalAddress, isRemoved: Bool = false) {
    for index in 0..<group.count where group.words[index] != 0 {
      let entry = place.advanced(by: UInt64(index) << 3)
      group.words[index] = exchange(isRemoved ? 0 : group.words[index], at: entry)
    }
  }
}

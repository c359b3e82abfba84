// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory

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

  /// Changes the mapping in an entry of a cluster, whose scheme bits stay. The structure lock is held.
  /// - Returns: the mapping before.
  @inlinable public func replace(
    _ mapping: UInt64, at entry: PhysicalAddress, of address: VirtualAddress
  ) -> UInt64 {
    let scheme = memory.loadRelaxed(entry) & X86Entry.schemeMask
    return X86Entry(memory.exchange(mapping | scheme, at: entry)).mapping
  }

  /// Stores what `group` maps into its cluster, or makes that, and moves resizes on by a step.
  public func put(_ group: ClusterGroup) throws(TranslationError) -> ClusterGroup {
    let table = try table(for: group.object(0))
    let isAloneInSize = !(0..<ClusterFormat.tables).contains { $0 != table && current($0).isOccupied }
    if !isAloneInSize, let conflict = otherSize(group.object(0)) { throw conflict }
    return try alone { () throws(TranslationError) -> ClusterGroup in
      var old = group
      if let place = location(of: group) {
        for index in group.mapped {
          let entry = place.advanced(by: UInt64(index) << 3)
          old.words[index] = replace(group.words[index], at: entry, of: group.start)
        }
      } else {
        let number = ClusterFormat.number(group.start, table)
        let slot = try claim(number, table)
        fill(slot, number, table, group.words, ClusterFormat.entryOffset(group.start, table))
        old.words = InlineArray(repeating: 0)
      }
      stepAll()
      return old
    }
  }

  /// Removes what `group` has pages for, and frees the cluster's slot when it maps nothing then.
  public func takeOut(_ group: ClusterGroup) -> ClusterGroup {
    var taken = group
    taken.words = InlineArray(repeating: 0)
    guard let table = ClusterFormat.table(for: group.size) else { return taken }
    alone {
      guard let place = location(of: group) else { return }
      for index in group.mapped {
        let entry = place.advanced(by: UInt64(index) << 3)
        taken.words[index] = replace(0, at: entry, of: group.start)
      }
      let slot = PhysicalAddress(place.raw & ~63)
      if isEmpty(slot) { free(slot, table) }
      stepAll()
    }
    return taken
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ClusterTable {
  /// Customizable 15. One search and one turn of the structure lock for each cluster.
  @inlinable
  public func removeAll(
    in range: VirtualRange, _ visit: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    let obligation = try forEachGroup(in: range) { (group, flushed) throws(RangeFailure) in
      var taken = group
      takeOut(&taken)
      taken.owe(&flushed)
      for index in 0..<taken.count where taken.words[index] != 0 {
        context.meter.count(.rangeEntry)
        visit(taken.object(index))
      }
    }
    context.meter.count(.tableTrim)
    giveBack(range)
    return obligation
  }

  /// Customizable 16. One search for each cluster; entries change where they are.
  @inlinable
  public func setProtection(
    in range: VirtualRange, to protection: Protection
  ) throws(RangeFailure) -> FlushObligation {
    try forEachGroup(in: range) { (group, flushed) throws(RangeFailure) in
      rewrite(group) { mapping in
        var object = X86Object(group.start, group.size, entry: X86Entry(mapping))
        if object.isPresent { object.setProtection(protection) }
        return object.entry.raw
      }
      for index in 0..<group.count where group.words[index] != 0 { context.meter.count(.rangeEntry) }
      group.owe(&flushed)
    }
  }
}

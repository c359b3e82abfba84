// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
internal import X86Object

extension HashedDatabase {
  /// One hash, and probes up to a void slot; no probe in a table that holds nothing.
  @inlinable @inline(__always)
  public func locate(_ address: VirtualAddress, _ table: Int) -> PhysicalAddress? {
    let array = current(table)
    guard array.isOccupied else { return nil }
    return slot(of: ClusterFormat.number(address, table), table, array)?
      .advanced(by: ClusterFormat.entryOffset(address, table))
  }

  /// The slot of a cluster, nil when there is none. While the table is resized both arrays are searched.
  @inlinable @inline(__always)
  func slot(of number: UInt64, _ table: Int, _ current: HashedArray) -> PhysicalAddress? {
    let hash = HashedFormat.hash(number)
    let next = next(table)
    guard next.exists else { return probe(current, number, hash) }
    let hasMoved = hash & (current.clusters &- 1) < word(HashedDescriptor.moved(table))
    if let slot = probe(hasMoved ? next : current, number, hash) { return slot }
    if Mutation.nextArrayNotSearched.isPlanted { return nil }
    context.meter.count(.extraProbe)
    return probe(hasMoved ? current : next, number, hash)
  }

  /// Searches one array from the slot of `hash` up to a void slot.
  @inlinable func probe(_ array: HashedArray, _ number: UInt64, _ hash: UInt64) -> PhysicalAddress? {
    var slot = array.slot(hash)
    var passed: UInt64 = 0
    while true {
      let mark = memory.loadAcquire(slot.advanced(by: ClusterFormat.markOffset))
      let isMatch = mark & HashedFormat.live != 0 && difference(slot, number) == 0
      let isEnd = mark & X86Entry.schemeMask == 0 || passed == array.clusters &- 1
      if isMatch || isEnd {
        if passed != 0 { context.meter.count(.extraProbe, passed) }
        return isMatch ? slot : nil
      }
      passed &+= 1
      slot = array.slot(after: slot)
    }
  }

  /// Zero when the tag of the cluster at `slot` is `number`.
  @inlinable @inline(__always) func difference(_ slot: PhysicalAddress, _ number: UInt64) -> UInt64 {
    var difference = memory.loadAcquire(slot) ^ number &<< 52
    difference |= memory.loadAcquire(slot.advanced(by: 8)) ^ number &<< 45
    difference |= memory.loadAcquire(slot.advanced(by: 16)) ^ number &<< 38
    difference |= memory.loadAcquire(slot.advanced(by: 24)) ^ number &<< 31
    difference |= memory.loadAcquire(slot.advanced(by: 32)) ^ number &<< 24
    return difference & X86Entry.schemeMask
  }

  /// The number of the cluster at `slot`.
  @inlinable func number(at slot: PhysicalAddress) -> UInt64 {
    var number: UInt64 = 0
    for entry in 0..<UInt64(5) {
      let raw = memory.loadRelaxed(slot.advanced(by: entry &<< 3))
      number |= (raw &>> 52 & 0x7F) &<< (7 &* entry)
    }
    return number
  }

  /// Whether the cluster at `slot` maps nothing.
  @inlinable func isEmpty(_ slot: PhysicalAddress) -> Bool {
    var bits: UInt64 = 0
    for entry in 0..<UInt64(8) { bits |= memory.loadAcquire(slot.advanced(by: entry &<< 3)) }
    return X86Entry(bits).isNone
  }
}

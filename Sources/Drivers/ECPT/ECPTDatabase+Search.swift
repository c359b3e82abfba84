// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
internal import X86Object

extension ECPTDatabase {
  /// The slot of a cluster or row that holds something, nil when there is none. One hash, at most three probes, and
  /// six more where a stash is in use.
  @inlinable @inline(__always)
  func slot(of number: UInt64, _ table: Int) -> PhysicalAddress? {
    let hash = policy.hash.hash(number)
    // Not a loop: the compiler would prepare all comparisons of tags before the first one.
    let first = place(table, 0, hash)
    if holds(first, number, table) { return first }
    let second = place(table, 1, hash)
    if holds(second, number, table) { return counted(second, 1) }
    let third = place(table, 2, hash)
    if holds(third, number, table) { return counted(third, 2) }
    return counted(word(ECPTRegisters.stash) == 0 ? nil : stashed(number, table), 2)
  }

  @inlinable @inline(__always)
  func counted(_ slot: PhysicalAddress?, _ probes: UInt64) -> PhysicalAddress? {
    context.meter.count(.extraProbe, probes)
    return slot
  }

  /// Where `way` has its slot for a hash.
  @inlinable @inline(__always)
  func place(_ table: Int, _ way: Int, _ hash: UInt64) -> PhysicalAddress {
    let register = current(table, way)
    let turned = ECPTFormat.turn(hash, way)
    if register.hasSuccessor { return place(register, table, way, turned) }
    return register.slot(turned)
  }

  @usableFromInline @inline(never)
  func place(_ register: ECPTWay, _ table: Int, _ way: Int, _ turned: UInt64) -> PhysicalAddress {
    let next = next(table, way)
    let pointer = word(ECPTRegisters.pointer(table, way))
    let smaller = Swift.min(register.clusters, next.clusters)
    return (turned & (smaller &- 1) < pointer ? next : register).slot(turned)
  }

  /// Whether the slot holds what has the number.
  @inlinable @inline(__always)
  func holds(_ slot: PhysicalAddress, _ number: UInt64, _ table: Int) -> Bool {
    hasTag(slot, number, table) && isLive(slot, table)
  }

  /// Whether the slot holds, or held last, what has the number.
  @inlinable @inline(__always)
  func hasTag(_ slot: PhysicalAddress, _ number: UInt64, _ table: Int) -> Bool {
    if table >= ClusterFormat.tables { return ECPTRow.number(memory.loadAcquire(slot)) == number }
    var difference = memory.loadAcquire(slot) ^ number &<< 52
    if difference & ECPTFormat.bits != 0, !Mutation.tagPieceNotCompared.isPlanted { return false }
    difference = memory.loadAcquire(slot.advanced(by: 8)) ^ number &<< 47
    difference |= memory.loadAcquire(slot.advanced(by: 16)) ^ number &<< 42
    difference |= memory.loadAcquire(slot.advanced(by: 24)) ^ number &<< 37
    difference |= memory.loadAcquire(slot.advanced(by: 32)) ^ number &<< 32
    difference |= memory.loadAcquire(slot.advanced(by: 40)) ^ number &<< 27
    difference |= memory.loadAcquire(slot.advanced(by: 48)) ^ number &<< 22
    return difference & ECPTFormat.bits == 0
  }

  /// Whether the slot is taken.
  @inlinable @inline(__always) func isLive(_ slot: PhysicalAddress, _ table: Int) -> Bool {
    let mask = table < ClusterFormat.tables ? ECPTFormat.bits : ECPTRow.countMask
    return memory.loadAcquire(slot.advanced(by: ClusterFormat.markOffset)) & mask != 0
  }

  /// The number of what the slot holds, or held last.
  @usableFromInline func number(at slot: PhysicalAddress, _ table: Int) -> UInt64 {
    if table >= ClusterFormat.tables { return ECPTRow.number(memory.loadAcquire(slot)) }
    var number: UInt64 = 0
    for entry in 0..<UInt64(7) {
      number |= (memory.loadAcquire(slot.advanced(by: entry &<< 3)) &>> 52 & 0x1F) &<< (5 &* entry)
    }
    return number
  }

  @usableFromInline @inline(never)
  func stashed(_ number: UInt64, _ table: Int) -> PhysicalAddress? {
    guard word(ECPTRegisters.stash) &>> UInt64(table) & 1 != 0, !Mutation.stashNotSearched.isPlanted else {
      return nil
    }
    context.meter.count(.extraProbe, UInt64(ECPTRegisters.stashSlots))
    return stash(table).first { holds($0, number, table) }
  }

  /// The slots of a stash.
  @usableFromInline func stash(_ table: Int) -> some Sequence<PhysicalAddress> {
    (0..<ECPTRegisters.stashSlots).lazy.map { block.advanced(by: ECPTRegisters.stash(table, $0)) }
  }
}

// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

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
    if difference & ECPTFormat.bits != 0 { return false }
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
    guard word(ECPTRegisters.stash) &>> UInt64(table) & 1 != 0 else { return nil }
    context.meter.count(.extraProbe, UInt64(ECPTRegisters.stashSlots))
    return stash(table).first { holds($0, number, table) }
  }

  /// The slots of a stash.
  @usableFromInline func stash(_ table: Int) -> some Sequence<PhysicalAddress> {
    (0..<ECPTRegisters.stashSlots).lazy.map { block.advanced(by: ECPTRegisters.stash(table, $0)) }
  }

  /// What is at `address`, where no cluster of base pages was found in the move generation `missed`.
  @usableFromInline @inline(never)
  func findSlowly(_ address: VirtualAddress, _ missed: UInt64) -> X86Object {
    while true {
      let generation = context.generation
      let object = search(address, generation, hasNoCluster: missed == generation)
      if context.generation == generation { return object }
    }
  }

  /// Asks the summary which table to search.
  public func search(_ address: VirtualAddress, _ generation: UInt64) -> X86Object {
    search(address, generation, hasNoCluster: false)
  }

  private func search(_ address: VirtualAddress, _ generation: UInt64, hasNoCluster: Bool) -> X86Object {
    guard owns(address) else { return X86Object(address, .base, entry: X86Entry(0)) }
    guard let summary = summary(of: address) else {
      let isEmpty = word(ECPTWord.summaries) == 0
      return X86Object(address, isEmpty ? PageSize(shift: 47) : ECPTSummary.span, entry: X86Entry(0))
    }
    let spans = spans(summary, address)
    if spans == 0 { return X86Object(address, .oneGiB, entry: X86Entry(0)) }
    let pages = pages(summary, address)
    let table = spans & ECPTSummary.giant != 0 ? 2 : pages & ECPTSummary.huge != 0 ? 1 : 0
    if table != 0 || pages != 0 && !hasNoCluster, let object = object(address, table, generation) {
      return object
    }
    let void = table == 0 ? (pages == 0 ? PageSize.twoMiB : ECPTFormat.span(0)) : .base
    return X86Object(address, void, entry: X86Entry(0))
  }

  /// What the cluster of `table` says about `address`, nil when there is none.
  func object(_ address: VirtualAddress, _ table: Int, _ generation: UInt64) -> X86Object? {
    guard let slot = slot(of: ECPTFormat.number(address, table), table) else { return nil }
    let location = slot.advanced(by: ClusterFormat.entryOffset(address, table))
    return X86Object(
      address, ClusterFormat.pageSize(table), entry: X86Entry(memory.loadAcquire(location)),
      location: location.raw, generation: generation)
  }
}

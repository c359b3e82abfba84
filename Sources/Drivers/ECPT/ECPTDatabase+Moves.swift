// SPDX-License-Identifier: MIT
internal import EMTCore
internal import EntryFormats
public import SimMemory

// Everything here runs while the structure lock is held alone.
extension ECPTDatabase {
  /// A free slot for a new cluster or row: one of its three, one that a chain of moves frees, or one of the stash.
  ///
  /// Rows never move anything: what they have no slot for waits in the stash.
  /// - Parameter hasStepped: set when a resize was moved on in search of a slot.
  /// - Returns: nil when there is neither; the table grows meanwhile if there is memory.
  func claim(_ number: UInt64, _ table: Int, _ hasStepped: inout Bool) -> PhysicalAddress? {
    growIfCrowded(table)
    if let slot = freeSlot(number, table) { return slot }
    if table < ECPTFormat.pageTables, let slot = vacate(number, table) { return slot }
    if word(ECPTWord.resized(table)) == 0 { _ = grow(table) }
    if table < ECPTFormat.pageTables {
      step(table)
      hasStepped = true
      if let slot = freeSlot(number, table) { return slot }
    }
    guard let slot = stash(table).first(where: { !isLive($0, table) }) else { return nil }
    set(ECPTRegisters.stash, word(ECPTRegisters.stash) | 1 << UInt64(table))
    note(table)
    return slot
  }

  /// A free slot of a cluster; the one that it had before it was emptied, if that is free still.
  func freeSlot(_ number: UInt64, _ table: Int) -> PhysicalAddress? {
    let hash = policy.hash.hash(number)
    var free: PhysicalAddress?
    for way in 0..<ECPTFormat.ways {
      let slot = place(table, way, hash)
      guard !isLive(slot, table) else { continue }
      if free == nil || self.number(at: slot, table) == number { free = slot }
    }
    return free
  }

  /// Frees one of a cluster's slots by moves, without using the slots of way `excluded`.
  func vacate(_ number: UInt64, _ table: Int, excluding excluded: Int = -1) -> PhysicalAddress? {
    var planner = CuckooPlanner()
    let isPossible = planner.search(number, limit: Int(policy.kicks)) { number, way in
      way == excluded ? nil : place(table, way, policy.hash.hash(number))
    } occupant: { slot in
      isLive(slot, table) ? self.number(at: slot, table) : nil
    }
    guard isPossible else { return nil }
    var (target, index) = (planner.free, planner.last)
    while index >= 0 {
      let node = planner.nodes[index]
      move(node.slot, to: target, table)
      (target, index) = (node.slot, node.parent)
    }
    return target
  }

  /// Moves a cluster or row to a free slot of another way, so that it can be found at every store.
  func move(_ source: PhysicalAddress, to target: PhysicalAddress, _ table: Int) {
    copy(source, to: target)
    remove(source, keeping: target)
    // The walk tables know the way of large pages.
    if table == 1 || table == 2 { refreshHeaders(address(of: number(at: target, table), table)) }
  }

  /// Copies a cluster; the count comes last and makes the copy valid.
  func copy(_ source: PhysicalAddress, to target: PhysicalAddress) {
    context.meter.count(.clusterMove)
    for offset in stride(from: 0, to: ECPTFormat.clusterBytes, by: 8) {
      memory.storeRelease(memory.loadAcquire(source.advanced(by: offset)), at: target.advanced(by: offset))
    }
  }

  /// Empties the slot of a copied cluster, and passes on what the walker set in it after it was copied.
  func remove(_ source: PhysicalAddress, keeping target: PhysicalAddress) {
    announceMove()
    for offset in stride(from: Int64(ECPTFormat.markOffset), through: 0, by: -8) {
      let taken = memory.exchange(0, at: source.advanced(by: UInt64(offset)))
      let copy = target.advanced(by: UInt64(offset))
      let missed = taken & ~memory.loadRelaxed(copy) & (X86Entry.accessed | X86Entry.dirty)
      if missed != 0 { _ = memory.fetchOr(missed, at: copy) }
    }
    // Who found the source since the announcement must not keep its place either.
    context.advanceGeneration()
  }

  /// Makes a free slot a cluster; the count comes last.
  @usableFromInline
  func fill(_ slot: PhysicalAddress, _ number: UInt64, _ table: Int, _ mapping: (UInt64) -> UInt64) {
    // A walker that saw the tag of what was here before must look again.
    set(ECPTRegisters.version, word(ECPTRegisters.version) &+ 1)
    var count: UInt64 = 0
    for offset in stride(from: 0, to: ECPTFormat.clusterBytes, by: 8) {
      var raw = mapping(offset)
      if raw != 0 { count += ECPTFormat.one }
      raw |= offset == ECPTFormat.markOffset ? count : ECPTFormat.tagBits(number, at: offset)
      memory.storeRelease(raw, at: slot.advanced(by: offset))
    }
    add(1, to: ECPTWord.live(table))
  }

  /// The first address of a cluster or row.
  func address(of number: UInt64, _ table: Int) -> VirtualAddress {
    VirtualAddress(number << UInt64(ECPTFormat.span(table).shift) | half << 47)
  }
}

// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import EntryFormats
internal import Mutations
internal import SimMemory

// Everything here runs while the structure lock is held alone.
extension ECPTDatabase {
  /// A free slot for a new cluster or row: one of its three, one that a chain of moves frees, or one of the stash.
  ///
  /// Rows never move anything: what they have no slot for waits in the stash.
  /// - Parameter hasStepped: set when a resize was moved on in search of a slot.
  /// - Returns: nil when there is neither; the table grows meanwhile if there is memory.
  func claim(
    _ number: UInt64, _ table: Int, _ free: PhysicalAddress?, _ hasStepped: inout Bool
  ) -> PhysicalAddress? {
    growIfCrowded(table)
    if let free { return free }
    if table < ClusterFormat.tables {
      if let slot = vacate(number, table) { return slot }
      if word(ECPTWord.resized(table)) == 0 { _ = grow(table) }
      step(table)
      hasStepped = true
      // The larger way may have a slot, or one for a cluster that is in the way.
      if let slot = vacate(number, table) { return slot }
    }
    guard let slot = stash(table).first(where: { !isLive($0, table) }) else { return nil }
    set(ECPTRegisters.stash, word(ECPTRegisters.stash) | 1 << UInt64(table))
    note(table)
    return slot
  }

  /// The slot of a cluster or row; if there is none, the first free one of its three.
  func slotOrFree(_ number: UInt64, _ table: Int) -> (slot: PhysicalAddress?, free: PhysicalAddress?) {
    context.meter.count(.lookup)
    context.meter.count(.extraProbe, 2)
    let hash = policy.hash.hash(number)
    var free: PhysicalAddress?
    for way in 0..<ECPTFormat.ways {
      let slot = place(table, way, hash)
      if !isLive(slot, table) {
        if free == nil { free = slot }
      } else if mayHaveTag(slot, number, table), hasWholeTag(slot, number, table) {
        return (slot, nil)
      }
    }
    return (word(ECPTRegisters.stash) == 0 ? nil : stashed(number, table), free)
  }

  /// Whether the tag's first piece is right, for all that can be told of a cluster by one word.
  @inline(__always)
  private func mayHaveTag(_ slot: PhysicalAddress, _ number: UInt64, _ table: Int) -> Bool {
    table >= ClusterFormat.tables || (memory.loadAcquire(slot) ^ number &<< 52) & ECPTFormat.bits == 0
  }

  /// `hasTag`, kept out of loops: the compiler would prepare all its comparisons in front of them.
  @inline(never)
  private func hasWholeTag(_ slot: PhysicalAddress, _ number: UInt64, _ table: Int) -> Bool {
    hasTag(slot, number, table)
  }

  /// Frees one of a cluster's slots by moves, without using the slots of way `excluded`.
  func vacate(_ number: UInt64, _ table: Int, excluding excluded: Int = -1) -> PhysicalAddress? {
    if let slot = vacateByOneMove(number, table, excluded) { return slot }
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
      (target, index) = (node.slot, Int(node.parent))
      if Mutation.chainStopsEarly.isPlanted, index >= 0 { (target, index) = (planner.nodes[index].slot, -1) }
    }
    return target
  }

  /// What `vacate` does when one move is enough, as it is most often, without a planner.
  private func vacateByOneMove(_ number: UInt64, _ table: Int, _ excluded: Int) -> PhysicalAddress? {
    let hash = policy.hash.hash(number)
    for way in 0..<ECPTFormat.ways where way != excluded {
      let slot = place(table, way, hash)
      if !isLive(slot, table) { return slot }
    }
    for way in 0..<ECPTFormat.ways where way != excluded {
      let slot = place(table, way, hash)
      let occupant = policy.hash.hash(self.number(at: slot, table))
      for other in 0..<ECPTFormat.ways where other != way && other != excluded {
        let target = place(table, other, occupant)
        guard !isLive(target, table) else { continue }
        move(slot, to: target, table)
        return slot
      }
    }
    return nil
  }

  /// Moves a cluster or row to a free slot of another way, so that it can be found at every store.
  func move(_ source: PhysicalAddress, to target: PhysicalAddress, _ table: Int) {
    if !Mutation.kickDropsCluster.isPlanted { copy(source, to: target) }
    empty(source, keeping: target)
    // The walk tables know the way of large pages.
    if table == 1 || table == 2 { refreshHeaders(address(of: number(at: target, table), table)) }
  }

  /// Makes a free slot a cluster with what `group` maps from the entry at `first` on; the count comes last.
  /// - Returns: how many entries map something.
  func fill(
    _ slot: PhysicalAddress, _ number: UInt64, _ table: Int, _ group: borrowing ClusterGroup, _ first: UInt64
  ) -> Int64 {
    // A walker that saw the tag of what was here before must look again.
    set(ECPTRegisters.version, word(ECPTRegisters.version) &+ 1)
    for entry in 0..<UInt64(7) {
      let tag = (number &>> (entry &* 5) & 0x1F) &<< 52
      memory.storeRelease(tag, at: slot.advanced(by: entry &<< 3))
    }
    var (count, last) = (UInt64(0), UInt64(0))
    // A subscript of the array itself would copy it each time.
    let words = group.words.span
    for index in 0..<group.count where words[index] != 0 {
      count &+= 1
      let offset = first &+ UInt64(truncatingIfNeeded: index) &<< 3
      if offset == ClusterFormat.markOffset {
        last = words[index]
      } else {
        let entry = slot.advanced(by: offset)
        memory.storeRelease(memory.loadRelaxed(entry) | words[index], at: entry)
      }
    }
    memory.storeRelease(last | count &<< 52, at: slot.advanced(by: ClusterFormat.markOffset))
    add(1, to: ECPTWord.live(table))
    return Int64(truncatingIfNeeded: count)
  }

  /// The first address of a cluster or row.
  func address(of number: UInt64, _ table: Int) -> VirtualAddress {
    VirtualAddress(number << UInt64(ECPTFormat.span(table).shift) | half << 47)
  }
}

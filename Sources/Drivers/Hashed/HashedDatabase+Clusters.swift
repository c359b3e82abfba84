// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import EntryFormats
internal import Mutations
internal import SimMemory

// Everything here runs while the structure lock is held alone.
extension HashedDatabase {
  /// A slot for a new cluster, nil when there is no memory; `fill` makes it one. Moves a resize of the table on by a
  /// step.
  func claim(_ number: UInt64, _ table: Int) -> PhysicalAddress? {
    stepResizing(table)
    growIfCrowded(table)
    while true {
      if let slot = freeSlot(receiving(table), number) { return slot }
      if isResizing(table) { stepResizing(table) } else if !grow(table) { return nil }
    }
  }

  /// Where new clusters of `table` go.
  func receiving(_ table: Int) -> HashedArray {
    let next = next(table)
    return next.exists ? next : current(table)
  }

  /// The first slot for `number` that is void or dead.
  func freeSlot(_ array: HashedArray, _ number: UInt64) -> PhysicalAddress? {
    var slot = array.slot(HashedFormat.hash(number))
    for _ in 0..<array.clusters {
      let mark = memory.loadRelaxed(slot.advanced(by: ClusterFormat.markOffset))
      if mark & HashedFormat.live == 0 || Mutation.liveClusterOverwritten.isPlanted { return slot }
      slot = array.slot(after: slot)
    }
    return nil
  }

  /// Makes the claimed `slot` a cluster with `words` from the entry at `first` on; the mark comes last.
  func fill(
    _ slot: PhysicalAddress, _ number: UInt64, _ table: Int, _ words: InlineArray<8, UInt64>, _ first: UInt64
  ) {
    let mark = slot.advanced(by: ClusterFormat.markOffset)
    if memory.loadRelaxed(mark) & HashedFormat.dead != 0 { add(-1, to: HashedWord.dead(table)) }
    // A subscript of the array itself would copy it each time.
    let words = words.span
    for offset in stride(from: 0, to: ClusterFormat.bytes, by: 8) {
      let mapping = offset >= first ? words[Int((offset - first) >> 3)] : 0
      memory.storeRelease(
        mapping | HashedFormat.schemeBits(number, at: offset), at: slot.advanced(by: offset))
    }
    if add(1, to: HashedWord.live(table)) == 1 {
      set(HashedDescriptor.current(table), current(table).word | HashedArray.occupied)
    }
  }

  /// Frees the slot of a cluster that maps nothing. The table keeps its memory, so that what was removed can be put back.
  func free(_ slot: PhysicalAddress, _ table: Int) {
    context.meter.count(.groupFreed)
    announceMove()
    if add(-1, to: HashedWord.live(table)) == 0 {
      set(HashedDescriptor.current(table), current(table).word & ~HashedArray.occupied)
    }
    if next(table).exists, current(table).contains(slot) {
      memory.storeRelease(HashedFormat.dead, at: slot.advanced(by: ClusterFormat.markOffset))
    } else {
      closeGap(slot, receiving(table), table)
    }
  }

  /// Makes `slot` void, after moving clusters behind it that would not be found any more.
  ///
  /// The gap is dead in the meantime, so that searches pass it; after 64 slots it stays dead.
  func closeGap(_ slot: PhysicalAddress, _ array: HashedArray, _ table: Int) {
    var gap = slot
    memory.storeRelease(HashedFormat.dead, at: gap.advanced(by: ClusterFormat.markOffset))
    var scan = slot
    for step in 1..<array.clusters {
      scan = array.slot(after: scan)
      let mark = memory.loadRelaxed(scan.advanced(by: ClusterFormat.markOffset))
      if mark & X86Entry.schemeMask == 0 || Mutation.gapClosedEarly.isPlanted { break }
      if step == 64 {
        add(1, to: HashedWord.dead(table))
        return
      }
      if mark & HashedFormat.dead != 0 { continue }
      // It may move into the gap if a search for it passes the gap.
      let hash = HashedFormat.hash(number(at: scan))
      if array.distance(from: hash, to: gap) < array.distance(from: hash, to: scan) {
        move(scan, to: gap)
        gap = scan
      }
    }
    memory.storeRelease(0, at: gap.advanced(by: ClusterFormat.markOffset))
  }

  /// Moves a cluster into a slot that is void or dead. Leaves a dead slot.
  func move(_ source: PhysicalAddress, to target: PhysicalAddress) {
    copy(source, to: target)
    empty(source, leaving: HashedFormat.dead, keeping: target)
  }
}

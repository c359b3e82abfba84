// SPDX-License-Identifier: MIT
public import EMTCore
internal import EntryFormats
public import SimMemory

// Everything here runs while the structure lock is held alone.
extension HashedDatabase {
  /// A slot for a new cluster; `fill` makes it one. Moves a resize of the table on by a step.
  @usableFromInline func claim(
    _ number: UInt64, _ table: Int
  ) throws(TranslationError) -> PhysicalAddress {
    stepResizing(table)
    growIfCrowded(table)
    while true {
      if let slot = freeSlot(receiving(table), number) { return slot }
      if isResizing(table) { stepResizing(table) } else if !grow(table) { throw .outOfMemory }
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
      let mark = memory.loadRelaxed(slot.advanced(by: HashedFormat.markOffset))
      if mark & HashedFormat.live == 0 { return slot }
      slot = array.slot(after: slot)
    }
    return nil
  }

  /// Makes the claimed `slot` a cluster of what `mapping` says for each offset; the mark comes last.
  @usableFromInline func fill(
    _ slot: PhysicalAddress, _ number: UInt64, _ table: Int, _ mapping: (UInt64) -> UInt64
  ) {
    let mark = slot.advanced(by: HashedFormat.markOffset)
    if memory.loadRelaxed(mark) & HashedFormat.dead != 0 { add(-1, to: HashedWord.dead(table)) }
    for offset in stride(from: 0, to: HashedFormat.clusterBytes, by: 8) {
      let raw = mapping(offset) | HashedFormat.schemeBits(number, at: offset)
      memory.storeRelease(raw, at: slot.advanced(by: offset))
    }
    if add(1, to: HashedWord.live(table)) == 1 {
      set(HashedDescriptor.current(table), current(table).word | HashedArray.occupied)
    }
  }

  /// Frees the slot of a cluster that maps nothing.
  @usableFromInline func free(_ slot: PhysicalAddress, _ table: Int) {
    announceMove()
    if add(-1, to: HashedWord.live(table)) == 0 { return clear(table) }
    if next(table).exists, current(table).contains(slot) {
      memory.storeRelease(HashedFormat.dead, at: slot.advanced(by: HashedFormat.markOffset))
    } else {
      closeGap(slot, receiving(table), table)
    }
    shrinkIfSparse(table)
  }

  /// Makes `slot` void, after moving clusters behind it that would not be found any more.
  ///
  /// The gap is dead in the meantime, so that searches pass it; after 64 slots it stays dead.
  func closeGap(_ slot: PhysicalAddress, _ array: HashedArray, _ table: Int) {
    var gap = slot
    memory.storeRelease(HashedFormat.dead, at: gap.advanced(by: HashedFormat.markOffset))
    var scan = slot
    for step in 1..<array.clusters {
      scan = array.slot(after: scan)
      let mark = memory.loadRelaxed(scan.advanced(by: HashedFormat.markOffset))
      if mark & X86Entry.schemeMask == 0 { break }
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
    memory.storeRelease(0, at: gap.advanced(by: HashedFormat.markOffset))
  }

  /// Moves a cluster into a slot that is void or dead: copy, announce, take. Leaves a dead slot.
  func move(_ source: PhysicalAddress, to target: PhysicalAddress) {
    context.meter.count(.clusterMove)
    for offset in stride(from: 0, to: HashedFormat.clusterBytes, by: 8) {
      let raw = memory.loadAcquire(source.advanced(by: offset))
      memory.storeRelease(raw, at: target.advanced(by: offset))
    }
    announceMove()
    take(source.advanced(by: 56), leaving: HashedFormat.dead, target.advanced(by: 56))
    for offset in stride(from: 0, to: HashedFormat.markOffset, by: 8) {
      take(source.advanced(by: offset), leaving: 0, target.advanced(by: offset))
    }
  }

  /// Empties one word of a moved cluster, and passes on what the walker set in it after it was copied.
  func take(_ source: PhysicalAddress, leaving bits: UInt64, _ target: PhysicalAddress) {
    let taken = memory.exchange(bits, at: source)
    let missed = taken & ~memory.loadRelaxed(target) & (X86Entry.accessed | X86Entry.dirty)
    if missed != 0 { _ = memory.fetchOr(missed, at: target) }
  }
}

// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import EntryFormats
internal import Mutations
public import SimMemory

// Everything here but `catchUp` runs while the structure lock is held alone.
extension HashedDatabase {
  func isResizing(_ table: Int) -> Bool { word(HashedWord.resizing) >> UInt64(table) & 1 == 1 }

  private func note(_ table: Int, isResizing: Bool) {
    let bit: UInt64 = 1 << UInt64(table)
    let others = word(HashedWord.resizing) & ~bit
    set(HashedWord.resizing, isResizing ? others | bit : others)
  }

  /// Moves every resize on by one step.
  @inline(never) public func catchUp() { alone { stepAll() } }

  /// Moves every resize on by one step.
  func stepAll() {
    guard word(HashedWord.resizing) != 0 else { return }
    for table in 0..<ClusterFormat.tables { stepResizing(table) }
  }

  /// Starts to grow at 5/8 of the slots. Memory that was refused is asked for again eight clusters later.
  func growIfCrowded(_ table: Int) {
    guard !isResizing(table) else { return }
    let limit = current(table).clusters * 5 / 8
    let taken = word(HashedWord.live(table)) + word(HashedWord.dead(table))
    if taken >= limit, (taken - limit) & 7 == 0 { _ = grow(table) }
  }

  /// Starts to grow to twice the size, at least one frame; to the same size when it is dead slots that crowd.
  func grow(_ table: Int) -> Bool {
    let current = current(table)
    let isMostlyDead = word(HashedWord.live(table)) < current.clusters * 5 / 16
    return start(table, log2: max(6, isMostlyDead ? current.log2 : current.log2 + 1))
  }

  /// Makes tables smaller after a range was removed, with at most a step for each cluster that the range can have had.
  public func giveBack(_ range: VirtualRange) {
    alone {
      dropSummaries(range)
      for _ in 0...range.pages / 8 {
        for table in 0..<ClusterFormat.tables { shrinkIfSparse(table) }
        guard word(HashedWord.resizing) != 0 else { return }
        stepAll()
      }
    }
  }

  /// Starts to shrink an array outside the descriptor's frame to half the size, or into that frame, when that will be at
  /// most 1/4 full. Only the removal of a range does so: what is removed in other ways may have to be put back.
  private func shrinkIfSparse(_ table: Int) {
    let (current, live) = (current(table), word(HashedWord.live(table)))
    guard !isEmbedded(current) else { return }
    if live == 0 { return clear(table) }
    guard !isResizing(table) else { return }
    if current.log2 > 6 {
      if live <= current.clusters / 8 { _ = start(table, log2: current.log2 - 1) }
    } else if live <= embedded(table).clusters / 4 {
      publish(embedded(table), table)
      while isResizing(table) { stepResizing(table) }
    }
  }

  private func start(_ table: Int, log2: UInt64) -> Bool {
    let order = Int(log2) - 6
    guard order <= 20, let frame = context.platform.frames.allocate(order: order, node: context.node) else {
      return false
    }
    context.meter.count(.tableFrame, 1 << UInt64(order))
    set(HashedWord.preparing(table), HashedArray(base: frame.address, log2: log2).word)
    set(HashedWord.cleared(table), 0)
    note(table, isResizing: true)
    return true
  }

  /// Lets new clusters go to `next`, whose slots are void, from now on.
  private func publish(_ next: HashedArray, _ table: Int) {
    set(HashedWord.preparing(table), 0)
    set(HashedWord.dead(table), 0)
    set(HashedDescriptor.moved(table), 0)
    set(HashedDescriptor.next(table), next.word)
    note(table, isResizing: true)
  }

  /// Clears one frame of the array to come, or moves up to eight clusters out of up to 64 slots of the array that goes.
  func stepResizing(_ table: Int) {
    guard isResizing(table) else { return }
    let preparing = HashedArray(word: word(HashedWord.preparing(table)))
    if preparing.exists {
      let cleared = word(HashedWord.cleared(table))
      _ = context.platform.frames.clearIfUsed(preparing.base.frame.advanced(by: cleared), frames: 1)
      set(HashedWord.cleared(table), cleared + 1)
      if (cleared + 1) * 64 == preparing.clusters { publish(preparing, table) }
      return
    }
    let (old, next) = (current(table), next(table))
    var index = word(HashedDescriptor.moved(table))
    let end = min(index + 64, old.clusters)
    var moves = 0
    while index < end, moves < 8 {
      let slot = old.slot(index)
      index += 1
      guard memory.loadRelaxed(slot.advanced(by: ClusterFormat.markOffset)) & HashedFormat.live != 0 else {
        continue
      }
      guard let target = freeSlot(next, number(at: slot)) else {
        preconditionFailure("the next array is smaller than what has to move there")
      }
      if memory.loadRelaxed(target.advanced(by: ClusterFormat.markOffset)) & HashedFormat.dead != 0 {
        add(-1, to: HashedWord.dead(table))
      }
      move(slot, to: target)
      moves += 1
    }
    let skipped: UInt64 = Mutation.resizeSkipsCluster.isPlanted && index < old.clusters ? 1 : 0
    set(HashedDescriptor.moved(table), index + skipped)
    if index == old.clusters { replace(old, with: next, table) }
  }

  /// Makes `next` the current array; the order lets a walker that saw the old words notice.
  private func replace(_ old: HashedArray, with next: HashedArray, _ table: Int) {
    let isOccupied = word(HashedWord.live(table)) != 0
    set(HashedDescriptor.current(table), next.word | (isOccupied ? HashedArray.occupied : 0))
    announceMove()
    set(HashedDescriptor.next(table), 0)
    set(HashedDescriptor.moved(table), 0)
    note(table, isResizing: false)
    free(old)
  }

  /// A table without clusters goes back into the descriptor's frame at once.
  func clear(_ table: Int) {
    let old = arrays(table)
    let embedded = embedded(table)
    set(HashedDescriptor.current(table), embedded.word)
    set(HashedWord.preparing(table), 0)
    set(HashedWord.dead(table), 0)
    set(HashedDescriptor.next(table), 0)
    set(HashedDescriptor.moved(table), 0)
    note(table, isResizing: false)
    announceMove()
    for index in old.indices { free(old[index]) }
  }

  /// Gives the frames of an array back; one in the descriptor's frame is made void for its next use.
  func free(_ array: HashedArray) {
    guard array.exists else { return }
    guard isEmbedded(array) else {
      context.meter.count(.tableFrameFreed, array.clusters / 64)
      return context.platform.frames.free(array.base.frame, order: Int(array.log2) - 6)
    }
    for index in 0..<array.clusters {
      memory.storeRelease(0, at: array.slot(index).advanced(by: ClusterFormat.markOffset))
    }
  }
}

// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import EntryFormats
internal import Mutations
internal import SimMemory

// One way of a table is resized at a time. First the new array is cleared frame by frame, then it becomes the way's
// successor and the migration pointer goes up. With a hash that has one more bit, clusters of an index go to that index
// or to it plus the old size, where nobody else can be: growing never makes a cluster look for another way. Shrinking
// does; when a cluster finds none, the pointer goes back down and the larger array stays.
//
// Everything here but `catchUp` runs while the structure lock is held alone.
extension ECPTDatabase {
  /// Moves one resize on by one step.
  @inline(never) public func catchUp() {
    alone { stepOne(0) }
  }

  /// Moves the resize of `table` on by one step; every other time that of another table, if there is one.
  func stepOne(_ table: Int) {
    let busy = word(ECPTWord.busy)
    guard busy != 0 else { return }
    let others = busy & ~(1 << UInt64(table))
    let isUrgent = word(ECPTRegisters.stash) >> UInt64(table) & 1 != 0
    let isOthersTurn = others == busy || !isUrgent && word(ECPTWord.live(table)) & 1 == 0
    step(others != 0 && isOthersTurn ? others.trailingZeroBitCount : table)
  }

  /// Grows past 3/5 of the slots, a walk table past 2/5. Memory that was refused is asked for again eight later.
  func growIfCrowded(_ table: Int) {
    let limit = word(ECPTWord.slots(table)) * (table < ClusterFormat.tables ? 3 : 2) / 5
    let live = word(ECPTWord.live(table))
    if live >= limit, (live - limit) & 7 == 0, word(ECPTWord.resized(table)) == 0 {
      _ = grow(table, bits: policy.growth)
    }
  }

  /// Starts to grow the smallest way; arrays outside the block have at least a frame. Clusters that collide in a table
  /// with room enough need more bits of the hash, and soon: three at once.
  func grow(_ table: Int, bits: UInt8 = 3) -> Bool {
    var smallest = 0
    for way in 1..<ECPTFormat.ways where current(table, way).log2 < current(table, smallest).log2 {
      smallest = way
    }
    return start(table, smallest, log2: max(6, current(table, smallest).log2 + UInt64(bits)))
  }

  /// Goes back to the block when the table is empty; halves the largest way when less than 1/5 of the slots is taken.
  func shrinkIfSparse(_ table: Int) {
    let (live, limit) = (word(ECPTWord.live(table)), word(ECPTWord.limit(table)))
    if live == 0 { return reset(table) }
    guard word(ECPTWord.resized(table)) == 0, word(ECPTRegisters.stash) >> UInt64(table) & 1 == 0,
      live * 5 < word(ECPTWord.slots(table)), limit == 0 || live < limit
    else { return }
    var largest = 0
    for way in 1..<ECPTFormat.ways where current(table, way).log2 > current(table, largest).log2 {
      largest = way
    }
    let log2 = current(table, largest).log2
    if log2 > 6 { _ = start(table, largest, log2: log2 - 1) }
  }

  private func start(_ table: Int, _ way: Int, log2: UInt64) -> Bool {
    guard let array = makeArray(log2) else { return false }
    set(ECPTWord.preparing(table), array.word)
    set(ECPTWord.cleared(table), 0)
    set(ECPTWord.isReturning(table), 0)
    set(ECPTWord.resized(table), UInt64(way) + 1)
    note(table)
    return true
  }

  /// Takes an array of 2^`log2` clusters, not cleared.
  func makeArray(_ log2: UInt64) -> ECPTWay? {
    let order = Int(log2) - 6
    guard order <= 20, let frame = context.platform.frames.allocate(order: order, node: context.node) else {
      return nil
    }
    context.meter.count(.tableFrame, 1 << UInt64(order))
    return ECPTWay(base: frame.address, log2: log2)
  }

  /// Gives the frames of an array back; those of the block stay.
  func free(_ array: ECPTWay) {
    guard array.exists, !isNursery(array) else { return }
    context.meter.count(.tableFrameFreed, array.clusters / 64)
    context.platform.frames.free(array.base.frame, order: Int(array.log2) - 6)
  }

  /// Clears frames of the array to come, or migrates clusters, or takes one out of the stash.
  func step(_ table: Int) {
    let hasStash = word(ECPTRegisters.stash) >> UInt64(table) & 1 != 0
    guard word(ECPTWord.resized(table)) != 0 else { return hasStash ? drain(table) : () }
    let way = Int(word(ECPTWord.resized(table))) - 1
    let preparing = ECPTWay(word: word(ECPTWord.preparing(table)))
    if preparing.exists {
      // Frames that were never used are clear already.
      var (frame, cleared) = (word(ECPTWord.cleared(table)), 0)
      let end = min(frame + (hasStash ? 256 : 8), preparing.clusters / 64)
      while frame < end, cleared < (hasStash ? 16 : 1) {
        let isUsed = context.platform.frames.clearIfUsed(preparing.base.frame.advanced(by: frame), frames: 1)
        cleared += isUsed ? 1 : 0
        frame += 1
      }
      set(ECPTWord.cleared(table), frame)
      guard frame * 64 == preparing.clusters else { return }
      set(ECPTWord.preparing(table), 0)
      set(ECPTRegisters.pointer(table, way), 0)
      set(ECPTRegisters.next(table, way), preparing.word)
      setRegister(table, way, ECPTWay(word: current(table, way).word | ECPTWay.successor))
      note(table)
      if !hasStash { return }
    }
    migrate(table, way, scan: hasStash ? 1024 : 64, moves: hasStash ? 16 : Int(policy.step))
  }

  /// Moves clusters from the stash to places of their own; grows the table when there is none for one.
  private func drain(_ table: Int) {
    var left = 16
    for slot in stash(table) where isLive(slot, table) {
      guard left > Int(CuckooPlanner.longest) else { return }
      let number = number(at: slot, table)
      guard let target = slotOrFree(number, table).free ?? vacate(number, table) else {
        return _ = grow(table)
      }
      move(slot, to: target, table)
      left -= Int(CuckooPlanner.longest) + 1
    }
    set(ECPTRegisters.stash, word(ECPTRegisters.stash) & ~(1 << UInt64(table)))
    note(table)
  }

  /// Migrates up to `moves` clusters from up to `scan` indices, forward or back.
  private func migrate(_ table: Int, _ way: Int, scan: UInt64, moves: Int) {
    let (current, next) = (current(table, way), next(table, way))
    let smaller = min(current.clusters, next.clusters)
    let isReturning = word(ECPTWord.isReturning(table)) != 0
    var (index, left, scanned) = (word(ECPTRegisters.pointer(table, way)), moves, UInt64(0))
    while index != (isReturning ? 0 : smaller), scanned < scan, left > 0 {
      scanned += 1
      if isReturning {
        index -= 1
        left -= transfer(next.slot(index), to: current, table, way, pointer: index)
        continue
      }
      if smaller < current.clusters {
        let second = current.slot(index + smaller)
        let areTwo = isLive(second, table) && isLive(current.slot(index), table)
        if areTwo, !Mutation.shrinkOverwrites.isPlanted {
          // Two clusters for one slot: the second one goes elsewhere. Six moves at most.
          guard left >= 6 || left == moves else { break }
          guard let target = vacate(number(at: second, table), table, excluding: way) else {
            set(ECPTWord.isReturning(table), 1)
            break
          }
          move(second, to: target, table)
          left -= Int(CuckooPlanner.longest) + 1
        }
        left -= transfer(second, to: next, table, way, pointer: index + 1)
      }
      left -= transfer(current.slot(index), to: next, table, way, pointer: index + 1)
      index += 1
    }
    let isAhead = Mutation.migrationPointerAhead.isPlanted && !isReturning && index < smaller
    setPointer(table, way, isAhead ? index + 1 : index)
    if index == smaller, !isReturning { finish(table, way, keeping: next, leaving: current) }
    if index == 0, isReturning {
      set(ECPTWord.limit(table), word(ECPTWord.live(table)) / 2)
      finish(table, way, keeping: current, leaving: next)
    }
  }

  /// Copies a cluster to its slot in the way's other array; the pointer moves it; then the old copy goes.
  /// - Returns: how many clusters moved, 0 from a free slot.
  private func transfer(
    _ source: PhysicalAddress, to array: ECPTWay, _ table: Int, _ way: Int, pointer: UInt64
  ) -> Int {
    guard isLive(source, table) else { return 0 }
    let hash = policy.hash.hash(number(at: source, table))
    let target = array.slot(ECPTFormat.turn(hash, way))
    assert(
      !isLive(target, table) || Mutation.shrinkOverwrites.isPlanted, "two clusters migrate to one slot")
    copy(source, to: target)
    setPointer(table, way, pointer)
    empty(source, keeping: target)
    return 1
  }

  private func setPointer(_ table: Int, _ way: Int, _ pointer: UInt64) {
    guard word(ECPTRegisters.pointer(table, way)) != pointer else { return }
    set(ECPTRegisters.pointer(table, way), pointer)
    set(ECPTRegisters.epoch, word(ECPTRegisters.epoch) &+ 1)
  }

  /// Ends a resize. The order lets a walker that saw the old registers notice.
  private func finish(_ table: Int, _ way: Int, keeping array: ECPTWay, leaving old: ECPTWay) {
    let isShrinking = array.clusters < old.clusters
    setRegister(table, way, ECPTWay(word: array.word & ~ECPTWay.successor))
    announceMove()
    set(ECPTRegisters.next(table, way), 0)
    set(ECPTRegisters.pointer(table, way), 0)
    set(ECPTWord.resized(table), 0)
    set(ECPTWord.isReturning(table), 0)
    note(table)
    free(old)
    if isShrinking { shrinkIfSparse(table) }
  }

  /// An empty table goes back into the block at once. Free slots need no clearing.
  private func reset(_ table: Int) {
    let old = arrays(table)
    guard old.indices.contains(where: { old[$0].exists }) else { return }
    for way in 0..<ECPTFormat.ways { setRegister(table, way, nursery(table, way)) }
    set(ECPTWord.preparing(table), 0)
    set(ECPTWord.resized(table), 0)
    set(ECPTWord.limit(table), 0)
    announceMove()
    for way in 0..<ECPTFormat.ways {
      set(ECPTRegisters.next(table, way), 0)
      set(ECPTRegisters.pointer(table, way), 0)
    }
    note(table)
    for index in old.indices { free(old[index]) }
  }
}

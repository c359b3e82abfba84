// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// Frames whose last mapping is gone, to be freed once no TLB can reach them: linked through the frame table, so it
/// costs nothing per page.
@usableFromInline struct FrameGather {
  @usableFromInline let frames: FrameAllocator
  @usableFromInline let lists: PageLists
  @usableFromInline let swap: HotCell<SwapSpace>
  @usableFromInline var first = FrameNumber(0)
  @usableFromInline var large: [(frame: FrameNumber, order: Int)] = []
  /// Base pages that are no longer mapped.
  @usableFromInline var dropped: UInt64 = 0
  /// Translations that went.
  @usableFromInline var objects: UInt64 = 0
  /// Frames of cut blocks among what they led to.
  @usableFromInline var pieces: UInt64 = 0
  @usableFromInline var freed: UInt64 = 0
  /// Slots of swap that pages among them were asked for, or gave up.
  @usableFromInline var slots: UInt64 = 0

  @inlinable init(_ frames: FrameAllocator, _ lists: PageLists, _ swap: HotCell<SwapSpace>) {
    self.frames = frames
    self.lists = lists
    self.swap = swap
  }

  /// An object that is no longer mapped gives up its frame.
  @inlinable mutating func drop(_ object: some TranslationObject) {
    guard object.isPresent else { return }
    dropped &+= object.size.basePages
    objects &+= 1
    guard !object.isSpecial else { return }
    drop(object.frame, order: object.size.order, isDirty: object.isDirty)
  }

  /// One mapping of the block at `frame` is gone.
  @inlinable mutating func drop(_ frame: FrameNumber, order: Int, isDirty: Bool) {
    if order > 0, frames.isCut(frame) {
      pieces &+= 1 &<< UInt64(order)
      for step in 0..<(1 as UInt64) &<< UInt64(order) {
        drop(frame.advanced(by: step), order: 0, isDirty: isDirty)
      }
      return
    }
    let left = frames.table.dropMapping(frame)
    if left == 0, frames.table.references(frame) == 0 { return add(frame, order: order) }
    if keep(frame, mappings: left, isDirty: isDirty) { add(frame, order: order) }
  }

  /// A page that somebody still has takes over what its lost translation knew.
  /// - Returns: whether only a slot that nobody needs had it, and it can go after all.
  @usableFromInline mutating func keep(_ frame: FrameNumber, mappings: UInt32, isDirty: Bool) -> Bool {
    if isDirty { frames.table.mark(.dirty, frame) }
    let flags = frames.table.pageFlags(frame)
    if flags.contains(.mlocked) { lists.move(frame) { $0.remove(.mlocked) } }
    guard mappings == 0 else { return false }
    if flags.contains(.merged), frames.leaveMerging(frame) { return true }
    guard flags.contains(.inSwapCache) else { return false }
    slots &+= 1
    guard swap.value.isOnlyCached(frame) else { return false }
    slots &+= 1
    frames.table.unmark(.inSwapCache, frame)
    swap.value.uncache(frame)
    return frames.table.release(frame) == 0
  }

  /// A frame that nobody holds or maps any more.
  @inlinable mutating func add(_ frame: FrameNumber, order: Int) {
    freed &+= 1
    lists.remove(frame)
    if order > 0 { return large.append((frame, order)) }
    frames.table.setNext(first, of: frame)
    first = frame
  }

  /// Frees what was gathered.
  @inlinable consuming func free() {
    while first.raw != 0 {
      let next = frames.table.next(first)
      frames.free(first)
      first = next
    }
    for block in large { frames.free(block.frame, order: block.order) }
  }
}

extension Kernel {
  /// Removes all translations of `range`; pages that nobody else has are freed after the flush.
  @inlinable @inline(never) func zap(_ space: Space<Database>, _ range: VirtualRange) {
    guard !range.isEmpty else { return }
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    var gather = FrameGather(platform.frames, pageLists, swapCell)
    zap(space, range, &gather)
    settle(gather, of: space)
  }

  /// Counts and frees what was gathered; its flush is out.
  @inlinable func settle(_ gather: consuming FrameGather, of space: Space<Database>) {
    space.notePeak()
    space.residentPages &-= gather.dropped
    residentPages &-= gather.dropped
    let blocks = UInt64(gather.large.count)
    meter.count(.pageCount, gather.objects)
    meter.count(.blockFrame, gather.pieces)
    meter.count(.frameFreed, gather.freed &- blocks)
    meter.count(.blockFreed, blocks)
    meter.count(.swapSlot, gather.slots)
    if counters.value.placesPages { uncharge(gather) }
    gather.free()
  }

  /// Removes all translations of `range` and gathers what they led to.
  @inlinable func zap(_ space: Space<Database>, _ range: VirtualRange, _ gather: inout FrameGather) {
    let database = space.database
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    var rest = range
    while !rest.isEmpty {
      do {
        let flush = try database.removeAll(in: rest) { object in
          if object.isPresent { gather.drop(object) } else { dropSwapped(object, of: space) }
        }
        database.settle(flush)
        break
      } catch {
        rest.start = error.firstNotDone
        splitOrTrap(space, at: error)
      }
    }
    database.unlock(&lock)
    database.putLock(lock)
  }

  /// A range operation met a page that reaches over the range's edge, although callers cut there: cut it.
  @inlinable func splitOrTrap(_ space: Space<Database>, at failure: RangeFailure) {
    do { try splitHugePage(space, space.database.find(failure.firstNotDone)) } catch {
      preconditionFailure("a page over the edge of a range could not be split: \(error)")
    }
  }

  /// Unmaps everything and lets go of all files.
  @inlinable func empty(_ space: Space<Database>) {
    drop(takeAllAreas(space), of: space)
  }

  @usableFromInline func takeAllAreas(_ space: Space<Database>) -> ContiguousArray<VMA> {
    settleGroupGains(space)
    let areas = space.layout.areas.areas
    space.layout.areas = VMASet()
    return areas
  }
}

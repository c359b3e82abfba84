// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// Makes a huge page of the base pages in `page`, which lies in a private anonymous area with `rights`. Contents are
  /// copied; the old frames are freed once no TLB can reach them.
  /// - Parameter isForced: the program asked for it: the background job's limits do not count.
  @inlinable @inline(never)
  func collapse(
    _ space: Space<Database>, _ page: VirtualRange, rights: Rights, isForced: Bool
  ) -> CollapseOutcome {
    let first = glance(space, page)
    if let obstacle = obstacle(first, isForced: isForced) { return obstacle }
    if first.away != 0, !bringIn(space, page) { return .unreachable }
    if counters.value.placesPages, let area = area(space, at: page.start) { aim(space, area, page.start) }
    guard let block = takeFrame(order: hugeSize.order) else {
      _ = platform.frames.takeFailedOrder()
      return .noBlock
    }
    meter.count(.blockAllocated)
    let outcome = replaceByHuge(space, page, rights, block, isForced: isForced)
    if case .done = outcome {
      hugePageCounts.collapses &+= 1
      noteHugePages(space, page.start, [.hasHugePages, .hasPrivatePages])
    } else {
      freeHugeBlock(block)
    }
    return outcome
  }

  /// A first look, before a block is taken.
  @inlinable func glance(_ space: Space<Database>, _ page: VirtualRange) -> PageSurvey {
    let database = space.database
    var lock = database.rangeLock(over: page)
    database.lockForReading(&lock)
    let found = survey(space, page)
    database.unlock(&lock)
    database.putLock(lock)
    return found
  }

  /// Why what was found cannot become a huge page.
  @inlinable func obstacle(_ found: PageSurvey, isForced: Bool) -> CollapseOutcome? {
    if found.isHuge { return .wasHuge }
    if found.isVoid { return .wasVoid }
    if found.isWatched { return .refused }
    return isForced || isWithinLimits(found) ? nil : .refused
  }

  /// Brings pages of `page` that are elsewhere into memory.
  /// - Returns: whether all of them came.
  @inlinable func bringIn(_ space: Space<Database>, _ page: VirtualRange) -> Bool {
    var address = page.start
    while address < page.end {
      let object = space.database.find(address)
      if object.isMapped, !object.isPresent {
        guard case .resolved = resolve(space, address, .load) else { return false }
      }
      address = address.advanced(by: PageSize.base.bytes)
    }
    return true
  }

  /// Puts `block` in place of the base pages, with their contents.
  @inlinable
  func replaceByHuge(
    _ space: Space<Database>, _ page: VirtualRange, _ rights: Rights, _ block: FrameNumber, isForced: Bool
  ) -> CollapseOutcome {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = space.database
    var lock = database.rangeLock(over: page)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    let found = survey(space, page)
    if let obstacle = obstacle(found, isForced: isForced) { return obstacle }
    if found.away != 0 { return .unreachable }
    let old = clearHoles(space, page, of: block)
    var huge = Database.Object(unmappedAt: page.start, size: hugeSize)
    huge.place(block, grants(rights, writable: true).union(.dirty))
    do {
      try database.collapse(into: huge) { object in
        guard !object.isSpecial else { return true }
        let position = object.start.pageNumber &- page.start.pageNumber
        if Mutation.collapseLosesLast.isPlanted, position &+ 1 == page.pages { return true }
        copyPage(object.frame, to: block.advanced(by: position))
        return true
      }
    } catch { return .noTable }
    platform.frames.table.addMapping(block)
    admitBlock(block, space, at: page.start)
    let gained = page.pages &- found.filled &- found.zero
    space.residentPages &+= gained
    noteMapped(gained)
    // Stores to it are not seen any more.
    if space.layout.tracksSoftDirty { noteStore(space, page.start) }
    release(old)
    return .done
  }

  @usableFromInline func area(_ space: Space<Database>, at address: VirtualAddress) -> VMA? {
    space.layout.areas.area(at: address)
  }

  @usableFromInline func copyPage(_ source: FrameNumber, to target: FrameNumber) {
    meter.count(.contentCopied)
    platform.frames.markUsed(target, frames: 1)
    platform.memory.copy(from: source.address, to: target.address, bytes: PageSize.base.bytes)
  }

  /// Drops one mapping of each frame, and frees those that nobody else has.
  @usableFromInline func release(_ frames: [FrameNumber]) {
    var gather = FrameGather(platform.frames, pageLists, swapCell)
    for frame in frames { gather.drop(frame, order: 0, isDirty: true) }
    meter.count(.pageCount, UInt64(frames.count) &+ 1)
    meter.count(.frameFreed, gather.freed)
    meter.count(.swapSlot, gather.slots)
    if counters.value.placesPages { uncharge(gather) }
    gather.free()
  }
}

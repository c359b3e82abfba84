// SPDX-License-Identifier: MIT
public import EMTCore
internal import Mutations
public import SimMemory

extension Kernel {
  /// Pages of an area map their file, and may hold pages of their group, from now on.
  @usableFromInline func hold(_ area: VMA, in space: Space<Database>) {
    if area.group != 0 { holdGroup(of: area, in: space) }
    if area.flags.contains(.accounted) { counters.value.committedPages &+= area.range.pages }
    guard area.file != .none else { return }
    files[area.file].mappers.add(space.number, pages: area.range.pages, origin: area.origin)
    files[area.file].mappedPages += area.range.pages
    if mayWriteToFile(area) { files[area.file].writableMappedPages += area.range.pages }
  }

  /// Pages of an area, which were unmapped, do not map their file any more.
  @usableFromInline func drop(_ area: VMA, of space: Space<Database>) {
    if area.flags.contains(.hugeTLB) { dropReservations(area, space) }
    if area.group != 0 { dropGroup(of: area, in: space) }
    let isCounted = area.flags.contains(.accounted) && !Mutation.promiseNotTakenBack.isPlanted
    if isCounted { counters.value.committedPages &-= area.range.pages }
    guard area.file != .none else { return }
    files[area.file].mappers.remove(space.number, pages: area.range.pages)
    files[area.file].mappedPages -= area.range.pages
    if mayWriteToFile(area) { files[area.file].writableMappedPages -= area.range.pages }
    if area.flags.contains(.sharedMemorySegment), dropDoomedSegment(of: area.file) { return }
    discardIfUnreachable(area.file)
  }

  private func mayWriteToFile(_ area: VMA) -> Bool {
    area.flags.isSuperset(of: [.shared, .mayWrite])
  }

  /// One holder of a file less.
  @usableFromInline func releaseFile(_ id: FileID) {
    guard id != .none else { return }
    files.release(id)
    discardIfUnreachable(id)
  }

  /// Frees a file that nothing leads to, with its pages.
  @usableFromInline func discardIfUnreachable(_ id: FileID) {
    guard files.isUnreachable(id) else { return }
    closeUserfault(id)
    forgetPages(of: id, 0..<PageIndex.maximumPages)
    forgetHugePages(of: id, from: 0)
    releaseDevice(id)
    counters.value.committedPages &-= files[id].accountedPages
    files.discard(id)
  }

  /// Takes pages out of a file's page cache. Mappings of them are gone already, except private copies.
  func forgetPages(of id: FileID, _ pages: Range<UInt64>) {
    let table = platform.frames.table
    forgetEvicted(of: id, pages)
    for (_, frame) in files[id].pages.remove(pages) {
      meter.count(.pageCacheChange)
      // What is mapped still has no place to be written back to, so it stays.
      pageLists.remove(frame)
      if table.release(frame) == 0, table.mappings(frame) == 0 {
        meter.count(.frameFreed)
        freePage(frame)
      }
    }
  }

  /// The frame of a file's page; read in (as zeroes: files start empty here) when it is not in memory.
  /// - Returns: the frame and whether it was in memory; nil when memory is exhausted.
  @usableFromInline func cachedPage(of id: FileID, _ page: UInt64) -> (frame: FrameNumber, wasCached: Bool)? {
    meter.count(.pageCache)
    let file = files[id]
    if let frame = file.pages[page] { return (frame, true) }
    guard page < PageIndex.maximumPages, let frame = aiming(at: id, page, { allocatePage() }) else {
      return nil
    }
    platform.frames.table.retain(frame)
    meter.count(.pageCacheChange)
    file.pages.insert(frame, at: page)
    pageLists.admit(frame, PageKey(file: id, page: page), [])
    let wasEvicted = file.hasEvictedPages && restore(file, page, into: frame)
    return (frame, file.kind != .regular && !wasEvicted)
  }

  /// Removes all translations of a file's `pages` in every address space, so that they can go.
  /// - Parameter includingCopies: private copies of the pages go too (truncation); hole punching leaves them.
  func unmapEverywhere(_ id: FileID, _ pages: Range<UInt64>, includingCopies: Bool) {
    for member in files[id].mappers.members {
      guard let space = spaceCell.value[Int(member.space)] else { continue }
      for area in space.layout.areas.areas where area.file == id {
        let first = area.offset >> 12
        let last = first + area.range.pages
        let low = max(pages.lowerBound, first)
        let high = min(pages.upperBound, last)
        guard low < high else { continue }
        let start = area.range.start.advanced(by: (low - first) << 12)
        let part = VirtualRange(start, bytes: (high - low) << 12)
        if area.isPrivate, !includingCopies {
          discardUncopied(space, part)
        } else {
          discardPages(space, area, part)
        }
      }
    }
  }

  /// Drops the file's own pages of a part of a private area; copies stay.
  private func discardUncopied(_ space: Space<Database>, _ part: VirtualRange) {
    let database = space.database
    var iterator = database.makeIterator(over: part)
    while let object = database.nextMapped(&iterator) {
      guard object.isPresent, !object.isSpecial, !isAnonymous(object.frame) else { continue }
      zap(space, object.span)
    }
    database.endIteration(iterator)
  }

  /// Sets a file's size; pages behind the new end go, and the rest of its last page becomes zero.
  func setSize(of id: FileID, to size: UInt64) {
    let file = files[id]
    let firstGone = (size &+ PageSize.base.mask) >> 12
    if size < file.size || file.mayBeLarger {
      if !Mutation.truncateLeavesMapped.isPlanted {
        unmapEverywhere(id, firstGone..<PageIndex.maximumPages, includingCopies: true)
      }
      forgetPages(of: id, firstGone..<PageIndex.maximumPages)
      let tail = Mutation.truncateLeavesTail.isPlanted ? 0 : size & PageSize.base.mask
      if tail != 0, let frame = file.pages[size >> 12] {
        platform.memory.zero(frame.address.advanced(by: tail), bytes: PageSize.base.bytes - tail)
        platform.frames.table.mark(.dirty, frame)
      } else if tail != 0 {
        zeroEvicted(file, size >> 12, tail..<PageSize.base.bytes)
      }
    }
    file.size = size
    file.mayBeLarger = false
  }

  /// A zeroed frame for page contents.
  @inlinable func allocatePage() -> FrameNumber? {
    guard let frame = takeFrame() else { return nil }
    _ = platform.frames.clearIfUsed(frame, frames: 1)
    meter.count(.frameAllocated)
    meter.count(.contentZeroed)
    return frame
  }
}

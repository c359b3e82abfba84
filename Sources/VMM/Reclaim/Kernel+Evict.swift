// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

/// How an attempt to take all translations of a page away ended.
@usableFromInline enum Unmapping {
  /// Nothing maps it any more.
  case done
  /// It stays, at least for now.
  case refused
  /// A locked area maps it.
  case locked
}

// Taking one page: first its translations, then, after the flush, its contents.
extension Kernel {
  /// Takes all translations of a page away. A private page's become swap entries, a file page's go. Huge translations are
  /// split first, so of a huge page only the first base page goes at once.
  @inlinable @inline(never) func unmapForReclaim(_ frame: FrameNumber) -> Unmapping {
    let flags = platform.frames.table.pageFlags(frame)
    if !flags.contains(.anonymous) { return unmapFilePage(frame) }
    if flags.contains(.lazilyFreed) { return unmapLazilyFreed(frame) }
    return unmapToSwap(frame)
  }

  @inlinable func unmapToSwap(_ frame: FrameNumber) -> Unmapping {
    guard let entry = slot(for: frame) else { return .refused }
    var isLocked = false
    forEachTranslation(of: frame, splitting: true) { space, area, object in
      if area.flags.contains(.locked), !Mutation.lockedPageReclaimed.isPlanted {
        isLocked = true
        return false
      }
      do {
        let swapped = try space.database.object(object, swappedTo: entry)
        let change = try space.database.update(swapped)
        noteUnmapped(space, frame, wasDirty: change.old.isDirty)
        space.database.settle(change.takeObligation())
      } catch { return false }
      space.swappedPages &+= 1
      addUser(entry)
      return !Mutation.reclaimMissesMapper.isPlanted
    }
    let left: UInt32 = Mutation.reclaimMissesMapper.isPlanted ? 1 : 0
    if platform.frames.table.mappings(frame) <= left { return .done }
    // What was unmapped finds the page by its slot; without that there is no use for one.
    _ = leaveSwapCache(frame)
    return isLocked ? .locked : .refused
  }

  @inlinable func unmapFilePage(_ frame: FrameNumber) -> Unmapping {
    if isOfLockedSegment(frame) { return .locked }
    guard mayTakeFilePage(frame) else { return .refused }
    var isLocked = false
    forEachTranslation(of: frame, splitting: true) { space, area, object in
      if area.flags.contains(.locked) {
        isLocked = true
        return false
      }
      do {
        let change =
          try object.isUserfaultWriteProtected && area.flags.contains(.userfaultProtect)
          ? placeMarker(space.database, object) : space.database.remove(object)
        noteUnmapped(space, frame, wasDirty: change.old.isDirty)
        space.database.settle(change.takeObligation())
      } catch { return false }
      return true
    }
    if platform.frames.table.mappings(frame) == 0 { return .done }
    return isLocked ? .locked : .refused
  }

  /// A page that its process gave up goes if nobody wrote it since; a write makes it an ordinary page again.
  @inlinable func unmapLazilyFreed(_ frame: FrameNumber) -> Unmapping {
    var isWritten = platform.frames.table.pageFlags(frame).contains(.dirty)
    var isLocked = false
    if !isWritten {
      forEachTranslation(of: frame, splitting: true) { space, area, object in
        isLocked = area.flags.contains(.locked)
        if isLocked { return false }
        do {
          let change = try space.database.remove(object)
          let old = change.old
          space.database.settle(change.takeObligation())
          if old.isDirty, !Mutation.lazilyFreedLost.isPlanted {
            isWritten = true
            space.database.settle(try space.database.update(old).takeObligation())
            return false
          }
        } catch { return false }
        noteUnmapped(space, frame, wasDirty: false)
        return true
      }
    }
    if !isWritten, platform.frames.table.mappings(frame) == 0 { return .done }
    if isWritten { platform.frames.table.unmark(.lazilyFreed, frame) }
    return isLocked ? .locked : .refused
  }

  /// One translation of a page went for reclaim.
  @usableFromInline func noteUnmapped(_ space: Space<Database>, _ frame: FrameNumber, wasDirty: Bool) {
    if wasDirty, !Mutation.reclaimLosesDirty.isPlanted { platform.frames.table.mark(.dirty, frame) }
    _ = platform.frames.table.dropMapping(frame)
    meter.count(.pageCount)
    space.notePeak()
    space.residentPages &-= 1
    residentPages &-= 1
  }

  /// Whether the page belongs to a segment that SHM_LOCK keeps in memory.
  @usableFromInline func isOfLockedSegment(_ frame: FrameNumber) -> Bool {
    files[FileID(PageKey(word: platform.frames.table.word(frame)).number)].staysInMemory
  }

  /// Whether the page is in its file's cache, nobody else has it, and there is a place for it if it needs one.
  @usableFromInline func mayTakeFilePage(_ frame: FrameNumber) -> Bool {
    let table = platform.frames.table
    let key = PageKey(word: table.word(frame))
    guard table.references(frame) == 1 else { return false }
    let file = files[FileID(key.number)]
    return file.pages[key.page] == frame && (file.kind != .sharedMemory || swapCell.value.free > 0)
  }

  /// Saves the contents of a page that nothing maps any more, where they are not saved yet, and frees it.
  /// - Returns: whether it was freed.
  @usableFromInline func takeContents(_ frame: FrameNumber) -> Bool {
    let table = platform.frames.table
    let flags = table.pageFlags(frame)
    if !flags.contains(.anonymous) {
      guard writeBack(frame, flags) else { return false }
      let key = PageKey(word: table.word(frame))
      files[FileID(key.number)].pages.take(key.page)
      meter.count(.pageCacheChange)
      _ = table.release(frame)
    } else if flags.contains(.inSwapCache) {
      guard let entry = swapCell.value.entry(frame) else {
        preconditionFailure("a page in the swap cache has no slot")
      }
      if flags.contains(.dirty) {
        swapCell.value.write(entry, from: frame, in: platform.memory)
        meter.count(.swapTransfer)
        reclaimCell.value.counts.swappedOut += 1
        reclaimCell.value.charge(isAnonymous: true, 1)
      }
      noteSwapped(frame, entry)
      meter.count(.swapSlot)
      swapCell.value.uncache(frame)
      table.unmark(.inSwapCache, frame)
      _ = table.release(frame)
      _ = platform.frames.leaveMerging(frame)
    } else {
      reclaimCell.value.counts.dropped += 1
    }
    pageLists.remove(frame)
    meter.count(.frameFreed)
    freePage(frame)
    reclaimCell.value.counts.reclaimed += 1
    return true
  }

  /// Writes a changed file page to where its file keeps pages that are not in memory.
  /// - Returns: false when there is no slot for a page of shared memory.
  private func writeBack(_ frame: FrameNumber, _ flags: PageFlags) -> Bool {
    guard flags.contains(.dirty) else { return true }
    let key = PageKey(word: platform.frames.table.word(frame))
    let file = files[FileID(key.number)]
    if file.kind == .sharedMemory {
      guard let entry = takeSlot() else { return false }
      // It is taken, gets its user, and is noted by the file.
      meter.count(.swapSlot, 3)
      swapCell.value.addUser(entry)
      swapCell.value.write(entry, from: frame, in: platform.memory)
      file.slots[key.page] = entry.packed
      noteSwapped(frame, entry)
      reclaimCell.value.counts.swappedOut += 1
    } else {
      file.store.write(key.page, from: frame, in: platform.memory)
      reclaimCell.value.counts.writtenBack += 1
    }
    meter.count(.swapTransfer)
    reclaimCell.value.charge(isAnonymous: false, 1)
    return true
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

// Slots, the pages in memory that slots lead to, and who needs a slot.
extension Kernel {
  /// Whether the page of a translation that is not present is in swap; markers are not.
  @inlinable func isSwapped(_ object: Database.Object, in database: Database) -> Bool {
    guard let entry = database.swapEntry(of: object) else { return false }
    return entry.area != Marker.area
  }

  /// A child got a copy of a translation that is not present: one more needs the slot.
  @inlinable func copied(swapped object: Database.Object, into child: Space<Database>) {
    guard let entry = child.database.swapEntry(of: object), entry.area != Marker.area else { return }
    child.swappedPages &+= 1
    if !Mutation.slotUserNotCounted.isPlanted { addUser(entry) }
  }

  /// A translation that is not present is gone: one less needs the slot.
  @inlinable func dropSwapped(_ object: Database.Object, of space: Space<Database>) {
    guard let entry = space.database.swapEntry(of: object), entry.area != Marker.area else { return }
    space.swappedPages &-= 1
    dropUser(entry)
  }

  @usableFromInline func addUser(_ entry: SwapEntry) {
    meter.count(.swapSlot)
    swapCell.value.addUser(entry)
  }

  /// One less needs a slot. A page in memory that only the slot had goes with its last user.
  @usableFromInline func dropUser(_ entry: SwapEntry) {
    meter.count(.swapSlot)
    let frame = swapCell.value.frame(entry)
    guard swapCell.value.dropUser(entry) == 0, let frame else { return }
    if platform.frames.table.mappings(frame) == 0 {
      _ = leaveSwapCache(frame)
      _ = platform.frames.leaveMerging(frame)
      meter.count(.frameFreed)
      pageLists.remove(frame)
      freePage(frame)
    }
  }

  /// A free slot. When all are taken, those that only pages in memory have are given up.
  func takeSlot() -> SwapEntry? {
    if let entry = swapCell.value.take() { return entry }
    for frame in swapCell.value.framesOfUnneededSlots { _ = leaveSwapCache(frame) }
    return swapCell.value.take()
  }

  /// The slot for a page that is to go: the one that it has, or a new one.
  @usableFromInline func slot(for frame: FrameNumber) -> SwapEntry? {
    if let entry = swapCell.value.entry(frame) { return entry }
    guard let entry = takeSlot() else { return nil }
    meter.count(.swapSlot)
    swapCell.value.cache(entry, frame)
    platform.frames.table.retain(frame)
    platform.frames.table.mark([.inSwapCache, .dirty], frame)
    return entry
  }

  /// Takes a page out of the swap cache if nobody needs its slot: it can be written then without anybody noticing.
  /// - Returns: whether nothing but translations has the page now.
  @usableFromInline func leaveSwapCache(_ frame: FrameNumber) -> Bool {
    let table = platform.frames.table
    let flags = table.pageFlags(frame)
    guard flags.contains(.inSwapCache), table.references(frame) == (flags.contains(.merged) ? 2 : 1),
      swapCell.value.isOnlyCached(frame)
    else { return false }
    meter.count(.swapSlot)
    swapCell.value.uncache(frame)
    table.unmark(.inSwapCache, frame)
    return table.release(frame) == 0
  }

  /// The page of a slot: from the swap cache, or read from storage into a frame with `key`.
  /// - Returns: the frame and whether it was in memory; nil when memory is exhausted.
  @usableFromInline
  func swapCachedPage(_ entry: SwapEntry, _ key: PageKey) -> (frame: FrameNumber, wasCached: Bool)? {
    if let frame = swapCell.value.frame(entry) { return (frame, true) }
    guard let frame = takeFrame() else { return nil }
    meter.count(.frameAllocated)
    meter.count(.swapTransfer)
    platform.frames.markUsed(frame, frames: 1)
    swapCell.value.read(entry, into: frame, in: platform.memory)
    swapCell.value.cache(entry, frame)
    platform.frames.table.retain(frame)
    pageLists.admit(frame, key, [.anonymous, .inSwapCache])
    reclaimCell.value.counts.swappedIn += 1
    reclaimCell.value.charge(isAnonymous: true, 1)
    return (frame, false)
  }

  /// Whether one translation needs the slot, and nothing maps the page.
  @usableFromInline func isSoleUser(_ entry: SwapEntry, _ frame: FrameNumber) -> Bool {
    swapCell.value.users(entry) == 1 && platform.frames.table.mappings(frame) == 0
  }

  /// Whether `key` leads to the page, so that a translation there is found.
  @inlinable func has(_ frame: FrameNumber, _ key: PageKey) -> Bool {
    platform.frames.table.word(frame) == key.word
  }

  /// Serves a fault on a page in swap. A store gets the page alone, or a copy if others need it too.
  @inlinable
  func swapIn(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ found: Database.Object, _ page: VirtualRange,
    _ kind: AccessKind
  ) -> FaultOutcome {
    let key = key(space, index, at: page.start)
    guard let entry = space.database.swapEntry(of: found),
      let (frame, wasCached) = swapCachedPage(entry, key)
    else { return .outOfMemory }
    let isStore = kind == .store
    var target = frame
    // The page in memory is found by one key: who shared it only because it was merged gets a copy, as on Linux.
    if !has(frame, key) || isStore && !isSoleUser(entry, frame) && !Mutation.sharedSlotWritable.isPlanted {
      guard let copy = allocateCopy(of: frame) else { return .outOfMemory }
      target = copy
    }
    guard replace(found, by: target, space, area, isWritable: isStore) else {
      if target != frame { freePage(target) }
      return .outOfMemory
    }
    if target != frame { admit(target, space, index, at: page.start) }
    finishSwapIn(entry, frame, isAlone: isStore && target == frame || area.flags.contains(.locked))
    return .resolved(wasCached ? (target == frame ? .minor : .copyOnWrite) : .major)
  }

  /// Puts a page in memory where a translation named a slot.
  /// - Returns: false when memory for tables was short; nothing changed then.
  @inlinable
  func replace(
    _ found: Database.Object, by frame: FrameNumber, _ space: Space<Database>, _ area: VMA, isWritable: Bool
  ) -> Bool {
    var object = found
    let grants = grants(area.rights, writable: isWritable)
    object.place(frame, isWritable ? grants.union(.dirty) : grants)
    if found.isSoftDirty, !Mutation.swapInLosesSoftDirty.isPlanted { object.isSoftDirty = true }
    if found.isUserfaultWriteProtected { object.isUserfaultWriteProtected = true }
    do {
      space.database.settle(try space.database.update(object).takeObligation())
    } catch { return false }
    platform.frames.table.addMapping(frame)
    meter.count(.pageCount)
    space.residentPages &+= 1
    space.swappedPages &-= 1
    noteMapped(1)
    return true
  }

  /// A translation that needed a slot has its page now.
  @usableFromInline func finishSwapIn(_ entry: SwapEntry, _ frame: FrameNumber, isAlone: Bool) {
    dropUser(entry)
    if isAlone || swapCell.value.isScarce { _ = leaveSwapCache(frame) }
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Advice about which pages will be used.
extension Kernel {
  /// MADV_PAGEOUT: takes the pages of `range` that nobody else maps.
  @inlinable func pageOut(_ space: Space<Database>, _ range: VirtualRange) {
    splitForAdvice(space, range)
    var batch: [FrameNumber] = []
    for frame in framesOfItsOwn(space, range) {
      pageLists.remove(frame)
      batch.append(frame)
      if batch.count == Int(batchSize) {
        _ = evict(batch, ignoringUse: true)
        batch.removeAll(keepingCapacity: true)
      }
    }
    _ = evict(batch, ignoringUse: true)
  }

  /// Splits huge pages, because base pages are what goes. Where memory for tables is short they stay: it is advice.
  @inlinable func splitForAdvice(_ space: Space<Database>, _ range: VirtualRange) {
    do { try splitHugePages(space, range) } catch {}
  }

  /// Pages of `range` that are on a list and that only one translation maps.
  @inlinable func framesOfItsOwn(_ space: Space<Database>, _ range: VirtualRange) -> [FrameNumber] {
    var found: [FrameNumber] = []
    forEachPresent(space, range) { object in
      let table = platform.frames.table
      if table.mappings(object.frame) == 1, table.pageFlags(object.frame).contains(.onList) {
        found.append(object.frame)
      }
    }
    return found
  }

  /// MADV_COLD: the pages of `range` that nobody else maps are the next that reclaim looks at.
  @inlinable func cool(_ space: Space<Database>, _ range: VirtualRange) {
    forEachPresent(space, range) { object in
      guard platform.frames.table.mappings(object.frame) == 1 else { return }
      do { _ = try space.database.testAndClearAccessed(at: object.start) } catch {
        preconditionFailure("a translation that was just seen is gone")
      }
      makeInactive(object.frame)
    }
  }

  @usableFromInline func makeInactive(_ frame: FrameNumber, _ more: PageFlags = []) {
    guard platform.frames.table.pageFlags(frame).contains(.onList) else { return }
    let flags = platform.frames.table.pageFlags(frame)
    let state = reclaimCell.value
    let isOfFile = more.contains(.lazilyFreed) || !flags.contains(.anonymous)
    let slot =
      state.policy == .generations ? (isOfFile ? state.oldest.file : state.oldest.anonymous) & 3 : 0
    pageLists.move(frame, isNext: true) { flags in
      flags.subtract([.active, .referenced])
      flags.formUnion(more)
      flags.setSlot(slot)
    }
  }

  /// MADV_FREE: the pages of `range` may be dropped until they are written again; what is in swap goes at once.
  @inlinable func freeLazily(_ space: Space<Database>, _ range: VirtualRange) {
    dropSwapped(space, range)
    splitForAdvice(space, range)
    let database = space.database
    forEachPresent(space, range) { object in
      guard mayFreeLazily(object.frame) else { return }
      do {
        let change = try database.updateAttributes(at: object.start) { object in
          object.isDirty = false
          object.isAccessed = false
        }
        database.settle(change.takeObligation())
      } catch { return }
      platform.frames.table.unmark(.dirty, object.frame)
      makeInactive(object.frame, .lazilyFreed)
    }
  }

  /// Forgets the pages of `range` that are in swap.
  @inlinable func dropSwapped(_ space: Space<Database>, _ range: VirtualRange) {
    _ = forEachSwapped(space, in: nil, over: range) { _, object, _ in
      do {
        let change = try space.database.remove(object)
        space.database.settle(change.takeObligation())
        dropSwapped(object, of: space)
      } catch { preconditionFailure("a translation that was just seen is gone") }
      return true
    }
  }

  /// Private pages of one process only; one that was in swap gives up its slot.
  @usableFromInline func mayFreeLazily(_ frame: FrameNumber) -> Bool {
    let table = platform.frames.table
    let flags = table.pageFlags(frame)
    guard flags.contains([.anonymous, .onList]), !flags.contains(.merged), table.mappings(frame) == 1 else {
      return false
    }
    return !flags.contains(.inSwapCache) || leaveSwapCache(frame)
  }

  /// MADV_WILLNEED: reads what is in swap, or what reclaim took of the file, without mapping it.
  @inlinable func readAhead(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) {
    _ = forEachSwapped(space, in: nil, over: part) { index, object, entry in
      swapCachedPage(entry, key(space, index, at: object.start)) != nil
    }
    if area.file != .none { readFileAhead(area, part) }
  }

  @usableFromInline func readFileAhead(_ area: VMA, _ part: VirtualRange) {
    let file = files[area.file]
    guard file.hasEvictedPages else { return }
    let first = area.filePage(at: part.start)
    let pages = first..<(first + part.pages)
    for page in file.slots.positions(in: pages) + file.store.pages(in: pages) where file.pages[page] == nil {
      if cachedPage(of: area.file, page) == nil { return }
    }
  }

  /// Calls `body` with every ordinary page of `range` that is in memory; huge ones only if asked to. `body` may change the
  /// translation.
  @inlinable
  func forEachPresent(
    _ space: Space<Database>, _ range: VirtualRange, includingHuge: Bool = false,
    _ body: (Database.Object) -> Void
  ) {
    let database = space.database
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      if object.isPresent, !object.isSpecial, includingHuge || object.size == .base { body(object) }
    }
    database.endIteration(iterator)
  }

  /// munlock: pages that reclaim had put aside may be taken again; where another lock holds them it will see that.
  @inlinable func releaseLocked(_ space: Space<Database>, _ range: VirtualRange) {
    guard hasLockedPages else { return }
    for area in overlapping(space, range) {
      forEachPresent(space, area.range.intersection(range), includingHuge: true) { takeFromLocked($0.frame) }
    }
  }

  @usableFromInline var hasLockedPages: Bool {
    (0..<platform.frames.nodeCount).contains { pageLists.count(.unevictable, node: $0) > 0 }
  }

  @usableFromInline func takeFromLocked(_ frame: FrameNumber) {
    guard platform.frames.table.pageFlags(frame).contains(.mlocked) else { return }
    pageLists.move(frame) { $0.remove(.mlocked) }
  }
}

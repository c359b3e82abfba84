// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// What a fault plan does with huge pages. Every function runs under the write lock of the huge page.
extension Kernel {
  /// Maps a fresh zeroed huge page; a base page where no block is free, or no table.
  @inlinable @inline(never)
  func mapHugePage(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ found: Database.Object, _ page: VirtualRange
  ) -> FaultOutcome {
    let huge = VirtualRange(page: page.start, hugeSize)
    if let head = allocateHugeBlock() {
      let grants = grants(area.rights, writable: true).union(.dirty)
      if insertHuge(space, huge, head, grants) {
        platform.frames.table.addMapping(head)
        noteHugePages(space, page.start, [.hasHugePages, .hasPrivatePages])
        admitBlock(head, space, at: huge.start)
        return .resolved(.huge)
      }
      freeHugeBlock(head)
    }
    hugePageCounts.fallbacks &+= 1
    return mapFreshPage(space, space.database, area, index, found, page)
  }

  /// Maps the shared huge page of zeroes, read-only.
  @inlinable @inline(never)
  func mapHugeZeroPage(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ found: Database.Object, _ page: VirtualRange
  ) -> FaultOutcome {
    guard hugePages.usesZeroPage else { return mapHugePage(space, area, index, found, page) }
    let huge = VirtualRange(page: page.start, hugeSize)
    if let head = hugeZeroBlock(),
      insertHuge(space, huge, head, grants(area.rights, writable: false).union(.special))
    {
      noteHugePages(space, page.start, .hasHugePages)
      return .resolved(.huge)
    }
    hugePageCounts.fallbacks &+= 1
    return mapZeroPage(space, space.database, area, found, page)
  }

  /// Inserts a huge translation where there was none, and counts its pages.
  /// - Returns: false when there was no memory for tables; nothing happened then.
  @inlinable
  func insertHuge(
    _ space: Space<Database>, _ page: VirtualRange, _ head: FrameNumber, _ grants: PageGrants
  ) -> Bool {
    var object = Database.Object(unmappedAt: page.start, size: hugeSize)
    object.place(head, grants)
    do {
      space.database.settle(try space.database.update(object).takeObligation())
    } catch { return false }
    // A driver that can, reserves now what a split will need; where it cannot, the split may fail.
    _ = try? space.database.prepareForSplit(page)
    meter.count(.pageCount)
    hugePageCounts.mapped &+= 1
    space.residentPages &+= page.pages
    noteMapped(page.pages)
    return true
  }

  /// A store to a huge page that is not writable. As Linux does since 5.8: its only owner may write to it; a shared one
  /// is split here, and one base page copied. Zeroes give way to a huge page of the process's own.
  @inlinable @inline(never)
  func copyHugeOnWrite(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ object: Database.Object, _ page: VirtualRange
  ) -> FaultOutcome {
    if object.isSpecial {
      if replaceHugeZeroPage(space, area, object) { return .resolved(.huge) }
      hugePageCounts.fallbacks &+= 1
    } else if platform.frames.hasOneOwner(object.frame, order: object.size.order) {
      do { try space.database.makeWritable(at: object.start) } catch { return .outOfMemory }
      return .resolved(.copyOnWrite)
    }
    do { try splitHugePage(space, object) } catch { return .outOfMemory }
    let database = space.database
    return copyOnWrite(space, database, index, database.find(page.start))
  }

  /// Puts a fresh huge page in place of the shared one of zeroes.
  /// - Returns: false when there was no block or no memory for tables; nothing happened then.
  @inlinable
  func replaceHugeZeroPage(_ space: Space<Database>, _ area: VMA, _ object: Database.Object) -> Bool {
    guard let head = allocateHugeBlock() else { return false }
    var fresh = object
    fresh.frame = head
    fresh.isSpecial = false
    give(area.rights, writable: true, to: &fresh)
    fresh.isDirty = true
    do {
      space.database.settle(try space.database.update(fresh).takeObligation())
    } catch {
      freeHugeBlock(head)
      return false
    }
    platform.frames.table.addMapping(head)
    meter.count(.pageReplaced)
    meter.count(.pageCount)
    hugePageCounts.mapped &+= 1
    noteHugePages(space, object.start, [.hasHugePages, .hasPrivatePages])
    admitBlock(head, space, at: object.start)
    return true
  }
}

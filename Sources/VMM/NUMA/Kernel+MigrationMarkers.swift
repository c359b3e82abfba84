// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

// From markers back to translations.
extension Kernel {
  /// Calls `body` with every marker of a migration, under the write lock of its page. They are where the key of the page
  /// in `frame` leads to: children that were forked meanwhile are found as well.
  @inlinable
  func forEachMarker(
    of number: UInt64, on frame: FrameNumber, _ order: Int,
    _ body: (Space<Database>, VMA, Database.Object, MigrationEntry) -> Void
  ) {
    let key = PageKey(word: platform.frames.table.word(frame))
    guard key.isMerged else { return forEachMarker(of: number, key, order, body) }
    for key in samePages.keys(of: key.page) { forEachMarker(of: number, key, order, body) }
  }

  /// The same for markers that `key` leads to.
  @inlinable
  func forEachMarker(
    of number: UInt64, _ key: PageKey, _ order: Int,
    _ body: (Space<Database>, VMA, Database.Object, MigrationEntry) -> Void
  ) {
    for member in mappers(of: key).members {
      meter.count(.reverseMapStep)
      guard let space = spaceCell.value[Int(member.space)] else { continue }
      settleGroupGains(space)
      let guess = VirtualAddress(member.origin &+ key.page &<< UInt64(PageSize.baseShift))
      var seen: UInt64 = 0
      if let area = space.layout.areas.area(at: guess), key.mayBe(in: area), key.address(in: area) == guess {
        seen = area.range.pages
        visitMarker(space, area, guess, number, order, body)
      }
      guard seen < pagesOfAreas(key, in: space) else { continue }
      let areas = space.layout.areas.areas
      for area in areas where key.mayBe(in: area) {
        meter.count(.reverseMapStep)
        guard let address = key.address(in: area), seen == 0 || address != guess else { continue }
        visitMarker(space, area, address, number, order, body)
      }
    }
  }

  @usableFromInline func pagesOfAreas(_ key: PageKey, in space: Space<Database>) -> UInt64 {
    mappers(of: key).members.first { $0.space == space.number }?.pages ?? 0
  }

  @inlinable
  func visitMarker(
    _ space: Space<Database>, _ area: VMA, _ address: VirtualAddress, _ number: UInt64, _ order: Int,
    _ body: (Space<Database>, VMA, Database.Object, MigrationEntry) -> Void
  ) {
    let database = space.database
    let page = VirtualRange(page: address, order == 0 ? .base : hugeSize)
    var lock = database.rangeLock(over: page)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    let object = database.find(address)
    guard object.isMapped, !object.isPresent, let entry = MigrationEntry(database.swapEntry(of: object)),
      entry.number == number
    else { return }
    body(space, area, object, entry)
  }

  /// Puts the translation of `frame` in place of a marker.
  /// - Returns: false when the driver had no memory for it; the marker stays then.
  @inlinable
  func restore(
    _ space: Space<Database>, _ area: VMA, _ marker: Database.Object, _ entry: MigrationEntry,
    _ frame: FrameNumber, _ order: Int, isAlone: Bool
  ) -> Bool {
    var object = marker
    // A private page that several have is written by nobody.
    let isWritable = entry.isWritable && (isAlone || !area.isPrivate)
    object.place(frame, grants(area.rights, writable: isWritable))
    object.isAccessed = entry.isAccessed
    if entry.isDirty, !Mutation.migrationLosesDirty.isPlanted { object.isDirty = true }
    if marker.isSoftDirty { object.isSoftDirty = true }
    if marker.isUserfaultWriteProtected {
      object.isUserfaultWriteProtected = true
      object.isWritable = false
    }
    do {
      space.database.settle(try space.database.update(object).takeObligation())
    } catch { return false }
    platform.frames.addMapping(frame, order: order)
    meter.count(.pageCount)
    let pages = (1 as UInt64) &<< UInt64(order)
    space.residentPages &+= pages
    noteMapped(pages)
    return true
  }

  /// A fault met something that is not in memory and not in swap: if the page is on its way, the move is finished first.
  /// In a simulation without threads whoever waits does the rest himself.
  /// - Returns: whether the access is to be repeated.
  @inlinable @inline(never)
  func waitForMigration(_ space: Space<Database>, _ address: VirtualAddress) -> Bool {
    guard isMigrating else { return false }
    let object = space.database.find(address)
    guard object.isMapped, !object.isPresent,
      let entry = MigrationEntry(space.database.swapEntry(of: object))
    else { return false }
    finishMigration(entry.number)
    return true
  }

  /// Whether any page is on its way.
  @usableFromInline var isMigrating: Bool { !numaCell.value.migrations.isEmpty }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

/// How an attempt to move a page ended.
@usableFromInline enum MigrationOutcome: Sendable {
  /// It is in another frame now.
  case done
  /// There was no frame for it, or no memory for tables; it is where it was.
  case noMemory
  /// Somebody holds it who cannot be told; it is where it was.
  case busy
}

// Moving a page: every translation of it becomes a marker, the contents are copied, and the translations come back with
// the new frame. A fault on a marker in between finishes the move first. If a driver refuses a marker, all translations
// come back with the old frame.
extension Kernel {
  /// Moves the page in `source`, a block of 2^`order` frames, to `target`, a block that nobody has. What does not move
  /// stays as it was, and `target` is free again.
  @inlinable @inline(never)
  func migrate(_ source: FrameNumber, to target: FrameNumber, order: Int) -> MigrationOutcome {
    guard let number = beginMigration(of: source, to: target, order: order) else {
      freeUnused(target, order: order)
      return .busy
    }
    return finishMigration(number) ? .done : .noMemory
  }

  /// Puts markers in place of all translations of a page.
  /// - Returns: the migration's number; nil when somebody holds the page who cannot be told.
  @inlinable @inline(never)
  func beginMigration(of source: FrameNumber, to target: FrameNumber, order: Int) -> UInt64? {
    guard isMovable(source) else { return nil }
    let number = openMigration(Migration(source: source, target: target, order: order))
    let pages = (1 as UInt64) &<< UInt64(order)
    forEachTranslation(of: source, splitting: order == 0) { space, _, object in
      let entry = MigrationEntry(number, of: object)
      do {
        let marker = try space.database.object(object, swappedTo: entry.swapEntry)
        let change = try space.database.update(marker)
        if change.old.isDirty, !Mutation.migrationLosesDirty.isPlanted { markDirty(source) }
        space.database.settle(change.takeObligation())
      } catch { return false }
      noteGone(space, source, number, pages)
      return true
    }
    return number
  }

  /// Whether nobody but translations, the swap cache or the page's file has the page.
  @usableFromInline func isMovable(_ frame: FrameNumber) -> Bool {
    let table = platform.frames.table
    let flags = table.pageFlags(frame)
    guard flags.contains(.onList) else { return false }
    let key = PageKey(word: table.word(frame))
    if flags.contains(.anonymous) {
      return table.references(frame) == (flags.contains(.inSwapCache) ? 1 : 0)
        + (flags.contains(.merged) ? 1 : 0)
    }
    return table.references(frame) == 1 && files[FileID(key.number)].pages[key.page] == frame
  }

  @usableFromInline func openMigration(_ migration: Migration) -> UInt64 {
    let number = numaCell.value.nextMigration
    numaCell.value.nextMigration += 1
    numaCell.value.migrations[number] = migration
    platform.frames.table.retain(migration.source)
    return number
  }

  @usableFromInline func markDirty(_ frame: FrameNumber) { platform.frames.table.mark(.dirty, frame) }

  /// A translation became a marker.
  @usableFromInline
  func noteGone(_ space: Space<Database>, _ frame: FrameNumber, _ number: UInt64, _ pages: UInt64) {
    _ = platform.frames.table.dropMapping(frame)
    meter.count(.pageCount)
    space.residentPages &-= pages
    residentPages &-= pages
    numaCell.value.migrations[number]?.entries += 1
  }

  /// Copies the contents, if all translations of the page are markers, and puts translations in place of the markers.
  /// - Returns: whether the page has moved.
  @inlinable @inline(never) @discardableResult
  func finishMigration(_ number: UInt64) -> Bool {
    guard let migration = numaCell.value.migrations[number] else { return false }
    let hasMoved = settleContents(number, migration)
    let (place, order) = (numaCell.value.migrations[number]?.source ?? migration.source, migration.order)
    var isComplete = true
    forEachMarker(of: number, on: place, order) { space, area, object, entry in
      if !restore(space, area, object, entry, place, order, isAlone: migration.entries == 1) {
        isComplete = false
      }
    }
    // A marker that a driver would not take back stays, and the next fault on it tries again.
    if isComplete { closeMigration(number, place, order) }
    return hasMoved
  }

  /// Decides where the page is from now on, and brings its contents and everything that is known of it there.
  /// - Returns: whether that is the new frame.
  @usableFromInline func settleContents(_ number: UInt64, _ migration: Migration) -> Bool {
    guard let target = migration.target else { return false }
    let (frames, source, order) = (platform.frames, migration.source, migration.order)
    numaCell.value.migrations[number]?.target = nil
    guard frames.table.mappings(source) == 0 else {
      freeUnused(target, order: order)
      numaCell.value.counts.failed += 1
      return false
    }
    let pages = (1 as UInt64) << UInt64(order)
    frames.markUsed(target, frames: pages)
    platform.memory.copy(from: source.address, to: target.address, bytes: pages << 12)
    meter.count(.contentCopied, pages)
    meter.count(.pageReplaced)
    frames.table.retain(target)
    exchange(source, target)
    numaCell.value.migrations[number]?.source = target
    numaCell.value.counts.migrated += pages
    // The migration was the last to hold it.
    precondition(frames.table.release(source) == 0, "a page that moved is still held at its old place")
    meter.count(.frameFreed)
    if counters.value.placesPages { memoryGroups.value.move(source, to: target, order: order) }
    frames.free(source, order: order)
    return true
  }

  /// `target` takes the place of `source` on the page lists, in the page's file and in the swap cache.
  private func exchange(_ source: FrameNumber, _ target: FrameNumber) {
    let table = platform.frames.table
    let (flags, key) = (table.pageFlags(source), PageKey(word: table.word(source)))
    pageLists.remove(source)
    table.setWord(key.word, target)
    table.setFlags(flags.subtracting([.onList, .blockIsCut]).rawValue, target)
    pageLists.move(target) { _ in }
    if !flags.contains(.anonymous) {
      files[FileID(key.number)].pages.take(key.page)
      files[FileID(key.number)].pages.insert(target, at: key.page)
      handOver(source, target)
    }
    if flags.contains(.inSwapCache) {
      swapCell.value.move(source, to: target)
      handOver(source, target)
    }
    if flags.contains(.merged) {
      table.unmark(.merged, source)
      samePages.move(key.page, to: target, platform.memory, platform.frames)
      handOver(source, target)
    }
  }

  /// Somebody holds `target` instead of `source`.
  private func handOver(_ source: FrameNumber, _ target: FrameNumber) {
    platform.frames.table.retain(target)
    _ = platform.frames.table.release(source)
  }

  /// Nothing stands in for the page any more.
  @usableFromInline func closeMigration(_ number: UInt64, _ frame: FrameNumber, _ order: Int) {
    let table = platform.frames.table
    numaCell.value.migrations[number] = nil
    let isHeld = table.release(frame) > 0
    guard table.mappings(frame) == 0, !isHeld || platform.frames.leaveMerging(frame) else { return }
    pageLists.remove(frame)
    meter.count(.frameFreed)
    freePage(frame, order: order)
  }

  @usableFromInline func freeUnused(_ frame: FrameNumber, order: Int) {
    meter.count(.frameFreed)
    freePage(frame, order: order)
  }

  /// Ends all migrations that are under way.
  @inlinable func finishMigrations() {
    for number in migrationsUnderWay() { finishMigration(number) }
  }

  @usableFromInline func migrationsUnderWay() -> [UInt64] { numaCell.value.migrations.keys.sorted() }
}

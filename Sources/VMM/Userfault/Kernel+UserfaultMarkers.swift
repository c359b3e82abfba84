// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Write protection of places without a page: a marker stands where the translation will be. Shared memory needs that
// because reclaim and MADV_DONTNEED take its translations away although it keeps its pages.
extension Kernel {
  /// Whether `object` says that nothing is there, but that it is write-protected.
  @inlinable func isProtectionMarker(_ object: Database.Object, in database: Database) -> Bool {
    guard object.isMapped, !object.isPresent else { return false }
    return database.swapEntry(of: object) == Marker.writeProtected
  }

  /// Puts a marker where `object` is. Of a page in memory the frame is the caller's to drop.
  @inlinable
  func placeMarker(_ database: Database, _ object: Database.Object) throws(TranslationError) -> Change<
    Database.Object
  > {
    var marker = Database.Object(unmappedAt: object.start, size: .base)
    do {
      marker = try database.object(marker, swappedTo: Marker.writeProtected)
      marker.isUserfaultWriteProtected = true
    } catch { return try database.remove(object) }
    return try database.update(marker)
  }

  /// Puts markers where nothing is mapped in `range`.
  /// - Throws: `.enomem` when memory for tables runs out; some places are protected then, as on Linux.
  @inlinable func protectUnpopulated(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    let database = space.database
    noteMarkers(space, range)
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    var address = range.start
    while address < range.end {
      let object = database.find(address)
      if !object.isMapped {
        do {
          let blank = Database.Object(unmappedAt: address, size: .base)
          database.settle(try placeMarker(database, blank).takeObligation())
        } catch {
          database.unlock(&lock)
          let isWorthTrying = reclaimAfterFailure()
          database.lockForWriting(&lock)
          if isWorthTrying { continue }
          timesOutOfMemory &+= 1
          throw .enomem
        }
      }
      address = object.isMapped ? object.end : address.advanced(by: PageSize.base.bytes)
    }
  }

  @usableFromInline func noteMarkers(_ space: Space<Database>, _ range: VirtualRange) {
    space.layout.areas.update(range) { $0.flags.formUnion([.hasGuards, .hasPrivatePages]) }
  }

  /// Replaces translations of protected pages of shared memory by markers: the pages are about to be dropped here.
  @inlinable func leaveMarkers(_ space: Space<Database>, _ range: VirtualRange) {
    guard !range.isEmpty else { return }
    let database = space.database
    noteMarkers(space, range)
    var gather = FrameGather(platform.frames, pageLists, swapCell)
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      guard object.isPresent, object.isUserfaultWriteProtected else { continue }
      do {
        let change = try placeMarker(database, object)
        gather.drop(change.old)
        database.settle(change.takeObligation())
      } catch { preconditionFailure("a marker did not fit where a translation was: \(error)") }
    }
    database.endIteration(iterator)
    database.unlock(&lock)
    database.putLock(lock)
    settle(gather, of: space)
  }

  /// Maps the page of a marker, protected: a store waits for the monitor then. The caller holds the lock.
  @inlinable
  func mapProtected(
    _ space: Space<Database>, _ area: VMA, _ index: Int, _ page: VirtualRange, _ kind: AccessKind
  ) -> FaultOutcome {
    let database = space.database
    let blank = Database.Object(unmappedAt: page.start, size: .base)
    let outcome =
      !area.isAnonymous
      ? mapFilePage(space, database, area, blank, page, .load)
      : kind == .store
        ? mapFreshPage(space, database, area, index, blank, page)
        : mapZeroPage(space, database, area, blank, page)
    guard case .resolved = outcome else { return outcome }
    do {
      let change = try database.updateAttributes(at: page.start) { object in
        object.isUserfaultWriteProtected = true
        object.isWritable = false
      }
      database.settle(change.takeObligation())
    } catch { preconditionFailure("a page that was just mapped is gone") }
    return kind == .store ? .waits(.writeProtected) : outcome
  }
}

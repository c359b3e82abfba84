// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

// What a fault plan does. Every function runs under the write lock of the page and leaves everything as it was when it
// returns `.outOfMemory`.
extension Kernel {
  @inlinable
  func mapZeroPage(
    _ space: Space<Database>, _ database: Database, _ area: VMA, _ found: Database.Object,
    _ page: VirtualRange
  ) -> FaultOutcome {
    var object = blank(found, page)
    let isWritable = Mutation.zeroPageWritable.isPlanted
    object.place(zeroFrame, grants(area.rights, writable: isWritable).union(.special))
    return map(space, database, object, .minor)
  }

  @inlinable
  func mapFreshPage(
    _ space: Space<Database>, _ database: Database, _ area: VMA, _ index: Int, _ found: Database.Object,
    _ page: VirtualRange
  ) -> FaultOutcome {
    guard let frame = allocatePage() else { return .outOfMemory }
    return mapOwnPage(space, database, area, index, blank(found, page), frame, .minor)
  }

  @inlinable
  func mapFilePage(
    _ space: Space<Database>, _ database: Database, _ area: VMA, _ found: Database.Object,
    _ page: VirtualRange,
    _ kind: AccessKind
  ) -> FaultOutcome {
    let number = area.filePage(at: page.start)
    if isBeyondEnd(area.file, number) { return .refused(.beyondEndOfFile) }
    guard let (frame, wasCached) = cachedPage(of: area.file, number) else { return .outOfMemory }
    var object = blank(found, page)
    let isWrite = kind == .store
    let grants = grants(area.rights, writable: isWrite && !area.isPrivate)
    object.place(frame, isWrite ? grants.union(.dirty) : grants)
    let outcome = map(space, database, object, wasCached ? .minor : .major)
    if case .resolved = outcome { platform.frames.table.addMapping(frame) }
    return outcome
  }

  @inlinable
  func mapFileCopy(
    _ space: Space<Database>, _ database: Database, _ area: VMA, _ index: Int, _ found: Database.Object,
    _ page: VirtualRange
  ) -> FaultOutcome {
    let number = area.filePage(at: page.start)
    if isBeyondEnd(area.file, number) { return .refused(.beyondEndOfFile) }
    guard let (source, wasCached) = cachedPage(of: area.file, number) else { return .outOfMemory }
    guard let frame = allocateCopy(of: source) else { return .outOfMemory }
    let kind = wasCached ? FaultKind.copyOnWrite : .major
    return mapOwnPage(space, database, area, index, blank(found, page), frame, kind)
  }

  @inlinable
  func copyOnWrite(
    _ space: Space<Database>, _ database: Database, _ index: Int, _ object: Database.Object
  ) -> FaultOutcome {
    let old = object.frame
    let table = platform.frames.table
    let isSpecial = object.isSpecial
    if !isSpecial, table.mappings(old) == (Mutation.copyOnWriteTakesShared.isPlanted ? 2 : 1),
      table.references(old) == 0 || leaveSwapCache(old) || Mutation.copyOnWriteTakesFilePage.isPlanted
    {
      do { try database.makeWritable(at: object.start) } catch { return .outOfMemory }
      return .resolved(.copyOnWrite)
    }
    let startsEmpty = isSpecial || Mutation.copyOnWriteCopiesNothing.isPlanted
    guard let frame = startsEmpty ? allocatePage() : allocateCopy(of: old) else { return .outOfMemory }
    var fresh = object
    let area = space.layout.areas.areas[index]
    fresh.place(frame, grants(area.rights, writable: true).union(.dirty))
    if object.isSoftDirty { fresh.isSoftDirty = true }
    if object.isUserfaultWriteProtected { fresh.isUserfaultWriteProtected = true }
    do {
      database.settle(try database.update(fresh).takeObligation())
    } catch {
      freePage(frame)
      return .outOfMemory
    }
    table.addMapping(frame)
    meter.count(.pageReplaced)
    meter.count(.pageCount)
    if !area.flags.contains(.hasPrivatePages) { notePrivatePages(space, index) }
    admit(frame, space, index, at: object.start)
    if !isSpecial {
      meter.count(.pageCount)
      if table.dropMapping(old) == 0, table.references(old) == 0 || platform.frames.leaveMerging(old) {
        pageLists.remove(old)
        meter.count(.frameFreed)
        freePage(old)
      }
    }
    return .resolved(.copyOnWrite)
  }

  @inlinable
  func allowWrite(_ space: Space<Database>, _ area: VMA, _ object: Database.Object) -> FaultOutcome {
    do { try space.database.makeWritable(at: object.start) } catch { return .outOfMemory }
    return .resolved(.minor)
  }

  @inlinable
  func renewRights(
    _ space: Space<Database>, _ area: VMA, _ object: Database.Object, _ kind: AccessKind
  ) -> FaultOutcome {
    do {
      let change = try space.database.updateAttributes(at: object.start) { object in
        let wasWritable = object.isWritable
        give(area.rights, writable: wasWritable && area.rights.contains(.write), to: &object)
      }
      space.database.settle(change.takeObligation())
    } catch { return .outOfMemory }
    return .resolved(.minor)
  }

  @inlinable
  func markUsed(_ space: Space<Database>, _ object: Database.Object, _ kind: AccessKind) -> FaultOutcome {
    do { try space.database.setAccessed(at: object.start, alsoDirty: kind == .store) } catch {
      return .outOfMemory
    }
    return .resolved(.minor)
  }

  /// Maps a frame that nobody else has, writable and dirty as far as the area allows; frees it on failure.
  @inlinable
  func mapOwnPage(
    _ space: Space<Database>, _ database: Database, _ area: VMA, _ index: Int, _ blank: Database.Object,
    _ frame: FrameNumber, _ kind: FaultKind
  ) -> FaultOutcome {
    var object = blank
    object.place(frame, grants(area.rights, writable: true).union(.dirty))
    let outcome = map(space, database, object, kind)
    if case .resolved = outcome {
      platform.frames.table.addMapping(frame)
      if !area.flags.contains(.hasPrivatePages) { notePrivatePages(space, index) }
      admit(frame, space, index, at: object.start)
    } else if !Mutation.failedFaultLeaksFrame.isPlanted {
      freePage(frame)
    }
    return outcome
  }

  /// Inserts a translation where there was none, and counts the page.
  @inlinable
  func map(
    _ space: Space<Database>, _ database: Database, _ object: Database.Object, _ kind: FaultKind
  ) -> FaultOutcome {
    do {
      database.settle(try database.update(object).takeObligation())
    } catch { return .outOfMemory }
    meter.count(.pageCount)
    space.residentPages &+= 1
    noteMapped(1)
    return .resolved(kind)
  }

  /// The unmapped object for `page`: the one that was found if it has the page's size, because it knows its place.
  @inlinable func blank(_ found: Database.Object, _ page: VirtualRange) -> Database.Object {
    found.size == .base ? found : Database.Object(unmappedAt: page.start, size: .base)
  }

  /// Rights of a present object from those of its area; `writable` only if the area allows stores.
  @inlinable func give(_ rights: Rights, writable: Bool, to object: inout Database.Object) {
    object.isReadable = !rights.isEmpty
    object.isUser = true
    object.isWritable = writable && rights.contains(.write)
    object.isExecutable = rights.contains(.execute)
    object.isAccessed = true
  }

  /// What a page gets from the rights of its area; `writable` only if the area allows stores.
  @inlinable func grants(_ rights: Rights, writable: Bool) -> PageGrants {
    var grants: PageGrants = [.user, .accessed]
    if !rights.isEmpty { grants.insert(.readable) }
    if writable, rights.contains(.write) { grants.insert(.writable) }
    if rights.contains(.execute) { grants.insert(.executable) }
    return grants
  }

  @usableFromInline func notePrivatePages(_ space: Space<Database>, _ index: Int) {
    if !space.layout.areas.areas[index].flags.contains(.hasPrivatePages) {
      space.layout.areas.areas[index].flags.insert(.hasPrivatePages)
    }
  }

  @usableFromInline func isBeyondEnd(_ file: FileID, _ page: UInt64) -> Bool {
    files[file].isBeyondEnd(page: page)
  }

  /// A frame with the contents of `source`.
  @usableFromInline func allocateCopy(of source: FrameNumber) -> FrameNumber? {
    guard let frame = takeFrame() else { return nil }
    meter.count(.frameAllocated)
    meter.count(.contentCopied)
    platform.frames.markUsed(frame, frames: 1)
    platform.memory.copy(from: source.address, to: frame.address, bytes: PageSize.base.bytes)
    return frame
  }
}

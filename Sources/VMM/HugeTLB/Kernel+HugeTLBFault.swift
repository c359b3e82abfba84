// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Faults in mappings of pooled huge pages. A page is mapped as a whole, and never split.
extension Kernel {
  /// Serves a fault that the area's rights allow.
  @inlinable @inline(never)
  func hugeTLBFault(
    _ space: Space<Database>, _ area: VMA, _ address: VirtualAddress, _ kind: AccessKind
  ) -> FaultOutcome {
    let page = VirtualRange(page: address, pooledSize(of: area))
    // Reclaim takes locks, so it runs between two tries.
    for _ in 0..<16 {
      if let outcome = tryHugeTLBFault(space, area, page, kind) { return outcome }
      guard reclaimAfterFailure() else { break }
    }
    return .refused(.noHugePage)
  }

  /// The size of the pages of an area that has pooled ones.
  @usableFromInline func pooledSize(of area: VMA) -> PageSize {
    guard let file = files[area.file].hugeTLB else { preconditionFailure("not a mapping of pooled pages") }
    return file.size
  }

  /// - Returns: nil when the pool may grow, but no block of frames is free.
  @inlinable
  func tryHugeTLBFault(
    _ space: Space<Database>, _ area: VMA, _ page: VirtualRange, _ kind: AccessKind
  ) -> FaultOutcome? {
    let database = space.database
    var lock = database.rangeLock(over: page)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    let object = database.find(page.start)
    guard object.isPresent else { return mapPooledPage(space, area, page, kind) }
    if kind == .store, !object.isWritable {
      return area.isPrivate ? copyPooledPage(space, area, object) : allowWrite(space, area, object)
    }
    if !object.isReadable || kind == .fetch && !object.isExecutable {
      return renewRights(space, area, object, kind)
    }
    return markUsed(space, object, kind)
  }

  /// Maps the file's page, or a page of the process's own.
  @inlinable
  func mapPooledPage(
    _ space: Space<Database>, _ area: VMA, _ page: VirtualRange, _ kind: AccessKind
  ) -> FaultOutcome? {
    let cached = cachedHugePage(area, at: page.start)
    if let refusal = cached.refusal { return .refused(refusal) }
    let dirty: PageGrants = kind == .store ? .dirty : []
    if let head = cached.head, !area.isPrivate || kind != .store {
      let grants = grants(area.rights, writable: !area.isPrivate).union(dirty)
      return insertPooled(space, area, page, head, grants) ? .resolved(.huge) : .outOfMemory
    }
    switch takeHugePage(space, area, at: page.start) {
    case .exhausted: return .refused(.noHugePage)
    case .noBlock: return nil
    case .page(let head, let wasReserved):
      let size = pooledSize(of: area)
      if let source = cached.head { copyHugePage(source, to: head, size) } else { clearHugePage(head, size) }
      let grants = grants(area.rights, writable: kind == .store || !area.isPrivate).union(dirty)
      guard insertPooled(space, area, page, head, grants) else {
        untakeHugePage(head, space, area, at: page.start, wasReserved: wasReserved)
        return .outOfMemory
      }
      if !area.isPrivate { cacheHugePage(head, area, at: page.start) }
      return .resolved(cached.head == nil ? .huge : .copyOnWrite)
    }
  }

  /// What the file has at `address`, or why there can be nothing.
  @usableFromInline
  func cachedHugePage(_ area: VMA, at address: VirtualAddress) -> (head: FrameNumber?, refusal: FaultRefusal?)
  {
    if area.flags.contains(.lostHugePages) { return (nil, .noHugePage) }
    let object = files[area.file]
    guard let file = object.hugeTLB else { return (nil, .notMapped) }
    let index = area.hugeIndex(at: address, file.size)
    meter.count(.pageCache)
    if let head = file.pages[index] { return (head, nil) }
    return (
      nil, !object.mayBeLarger && index >= object.size >> UInt64(file.size.shift) ? .beyondEndOfFile : nil
    )
  }

  /// A page that was mapped shared is the file's.
  @usableFromInline func cacheHugePage(_ head: FrameNumber, _ area: VMA, at address: VirtualAddress) {
    insertHugePage(head, area.file, area.hugeIndex(at: address, pooledSize(of: area)))
  }

  /// Puts a page into a file.
  func insertHugePage(_ head: FrameNumber, _ id: FileID, _ index: UInt64) {
    platform.frames.table.retain(head)
    files[id].hugeTLB?.pages.insert(head, at: index)
    meter.count(.pageCacheChange)
  }

  /// Inserts the translation of a whole page where there was none.
  /// - Returns: false when there was no memory for tables; nothing happened then.
  @inlinable
  func insertPooled(
    _ space: Space<Database>, _ area: VMA, _ page: VirtualRange, _ head: FrameNumber, _ grants: PageGrants
  ) -> Bool {
    var object = Database.Object(unmappedAt: page.start, size: pooledSize(of: area))
    object.place(head, grants)
    do {
      space.database.settle(try space.database.update(object).takeObligation())
    } catch { return false }
    platform.frames.table.addMapping(head)
    meter.count(.pageCount)
    if area.isPrivate { noteHugePages(space, page.start, .hasPrivatePages) }
    return true
  }
}

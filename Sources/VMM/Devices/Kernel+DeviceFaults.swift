// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// Serves a fault in an area of a device that the area's rights allow: with the largest page that the driver offers, and
  /// for which addresses, offset and length fit.
  @inlinable @inline(never)
  func deviceFault(
    _ space: Space<Database>, _ area: VMA, _ address: VirtualAddress, _ kind: AccessKind
  ) -> FaultOutcome {
    let database = space.database
    var lock = database.rangeLock(over: VirtualRange(page: address, largestDevicePage(area)))
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    let object = database.find(address)
    guard object.isMapped else { return mapDevicePage(space, area, address, kind) }
    guard object.isPresent else { return .refused(refusal(of: object, in: database)) }
    if kind == .store, !object.isWritable { return allowWrite(space, area, object) }
    if !object.isReadable || kind == .fetch && !object.isExecutable {
      return renewRights(space, area, object, kind)
    }
    return markUsed(space, object, kind)
  }

  /// The largest page that an area of a device may get, wherever in it.
  @usableFromInline func largestDevicePage(_ area: VMA) -> PageSize {
    service.pageSizes.all.last { $0.bytes <= area.range.bytes } ?? .base
  }

  /// Maps pages of a device where nothing is mapped. The caller holds the lock.
  @inlinable
  func mapDevicePage(
    _ space: Space<Database>, _ area: VMA, _ address: VirtualAddress, _ kind: AccessKind
  ) -> FaultOutcome {
    if isBeyondEnd(area.file, area.filePage(at: address)) { return .refused(.beyondEndOfFile) }
    var grants = grants(area.rights, writable: true).union(.special)
    if kind == .store { grants.insert(.dirty) }
    let mayBeHuge = !area.flags.contains(.noHugePages) && !space.layout.disablesHugePages
    for size in service.pageSizes.all.reversed() where mayBeHuge || size == .base {
      let page = VirtualRange(page: address, size)
      guard size == .base || area.range.contains(page), let head = deviceFrame(area, page) else { continue }
      if size != .base, !space.database.isEligible(size, for: page, in: area.range) { continue }
      if insertDevicePage(space, page, size, head, grants) {
        return .resolved(size == .base ? .minor : .huge)
      }
    }
    return .outOfMemory
  }

  /// Inserts a translation where there was none, and counts its pages.
  /// - Returns: false when there was no memory for tables; nothing happened then.
  @inlinable
  func insertDevicePage(
    _ space: Space<Database>, _ page: VirtualRange, _ size: PageSize, _ head: FrameNumber,
    _ grants: PageGrants
  ) -> Bool {
    var object = Database.Object(unmappedAt: page.start, size: size)
    object.place(head, grants)
    do {
      space.database.settle(try space.database.update(object).takeObligation())
    } catch { return false }
    if size != .base {
      _ = try? space.database.prepareForSplit(page)
      hugePageCounts.device &+= 1
    }
    meter.count(.pageCount)
    space.residentPages &+= page.pages
    noteMapped(page.pages)
    return true
  }
}

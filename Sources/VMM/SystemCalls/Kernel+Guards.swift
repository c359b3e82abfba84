// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// Markers that the memory manager keeps in place of a translation, as swap entries of an area of their own.
@usableFromInline enum Marker {
  /// The area number that no swap area has.
  @usableFromInline static var area: UInt8 { 30 }
  /// A guard page.
  @inlinable static var guardPage: SwapEntry { SwapEntry(area: area, offset: 1) }
  /// A page whose contents are lost (UFFDIO_POISON).
  @inlinable static var poison: SwapEntry { SwapEntry(area: area, offset: 2) }
  /// A place without a page that a userfaultfd write-protects.
  @inlinable static var writeProtected: SwapEntry { SwapEntry(area: area, offset: 3) }
}

extension Kernel {
  /// Why a marker refuses accesses.
  @inlinable func refusal(of object: Database.Object, in database: Database) -> FaultRefusal {
    database.swapEntry(of: object) == Marker.poison ? .poisoned : .notMapped
  }

  /// MADV_GUARD_INSTALL: accesses are refused from now on, without a mapping of their own. Pages there are dropped.
  @inlinable func installGuards(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    zap(space, range)
    // Guards count as private pages: the area stays what it is when it may not be written any more, as on Linux.
    if let index = space.layout.areas.index(of: range.start), space.layout.areas.areas[index].isPrivate,
      space.layout.areas.areas[index].group == 0
    {
      _ = makeGroup(space, index)
    }
    space.layout.areas.update(range) { $0.flags.formUnion([.hasGuards, .hasPrivatePages]) }
    var address = range.start
    while address < range.end {
      let blank = Database.Object(unmappedAt: address, size: .base)
      do {
        let marker = try space.database.object(blank, swappedTo: Marker.guardPage)
        space.database.settle(try space.database.update(marker).takeObligation())
      } catch {
        if reclaimAfterFailure() { continue }
        timesOutOfMemory &+= 1
        removeGuards(space, VirtualRange(range.start, address))
        throw .enomem
      }
      address = address.advanced(by: PageSize.base.bytes)
    }
  }

  /// MADV_GUARD_REMOVE: guard pages become ordinary untouched memory; other pages stay.
  @inlinable func removeGuards(_ space: Space<Database>, _ range: VirtualRange) {
    let database = space.database
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      guard database.swapEntry(of: object) == Marker.guardPage else { continue }
      do { database.settle(try database.remove(object).takeObligation()) } catch {
        preconditionFailure("a guard page that was just seen is gone")
      }
    }
    database.endIteration(iterator)
  }

  /// Drops the pages of a part of `area` but not its guards: they go with the mapping only, or when they are removed
  /// (Linux `zap_drop_markers`). Neither does the write protection of shared memory.
  @inlinable func discardPages(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) {
    if area.flags.contains(.hugeTLB) { return zapPooled(space, area, part) }
    let keepsProtection = area.flags.contains(.userfaultProtect) && !area.isAnonymous
    if keepsProtection { leaveMarkers(space, part) }
    guard keepsProtection || area.flags.contains(.hasGuards) else { return zap(space, part) }
    let database = space.database
    var start = part.start
    var iterator = database.makeIterator(over: part)
    while let object = database.nextMapped(&iterator) {
      let entry = database.swapEntry(of: object)
      guard entry == Marker.guardPage || keepsProtection && entry == Marker.writeProtected else { continue }
      zap(space, VirtualRange(start, object.start))
      start = object.end
    }
    database.endIteration(iterator)
    zap(space, VirtualRange(start, part.end))
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// Copies layout and translations for a fork; private pages become copy-on-write on both sides.
  @inlinable func copyMemory(of parent: Space<Database>, into child: Space<Database>) throws(Errno) {
    meter.count(.systemCallEntry)
    child.layout = inheritedLayout(parent.layout)
    for area in parent.layout.areas.areas where needsCopy(area) {
      meter.count(.vmaStep)
      try copyTranslations(area, from: parent, into: child)
    }
  }

  /// Only pages of the process's own, and guards, have to be copied: file pages come back by faults.
  @inlinable func needsCopy(_ area: VMA) -> Bool {
    (area.isPrivate ? area.flags.contains(.hasPrivatePages) : area.flags.contains(.hasGuards))
      && area.flags.isDisjoint(with: [.dontFork, .wipeOnFork])
  }

  @inlinable @inline(never)
  func copyTranslations(_ area: VMA, from parent: Space<Database>, into child: Space<Database>) throws(Errno)
  {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let table = platform.frames.table
    var pages: UInt64 = 0
    let database = parent.database
    var lock = database.rangeLock(over: area.range)
    database.lockForWriting(&lock)
    var failure: RangeFailure?
    do {
      let flush = try database.copy(
        area.range, into: child.database,
        decide: {
          if !area.isPrivate, $0.isPresent { return .skip }
          return $0.isSpecial ? .share : .shareProtected
        },
        copied: { object in
          guard object.isPresent else { return }
          pages &+= object.size.basePages
          if !object.isSpecial { table.addMapping(object.frame) }
        })
      database.settle(flush)
    } catch { failure = error }
    database.unlock(&lock)
    database.putLock(lock)
    meter.count(.pageCount, pages)
    child.residentPages &+= pages
    noteMapped(pages)
    if failure != nil { throw .enomem }
  }

  /// The child's layout: everything but what is not inherited; locks are not; file holders are counted.
  @usableFromInline func inheritedLayout(_ layout: SpaceLayout) -> SpaceLayout {
    var inherited = layout
    inherited.futureFlags = []
    inherited.areas = VMASet()
    for area in layout.areas.areas where !area.flags.contains(.dontFork) {
      var copy = area
      copy.flags.subtract([.locked, .lockedOnFault])
      if copy.flags.contains(.wipeOnFork) { copy.flags.remove(.hasPrivatePages) }
      holdFile(of: copy)
      inherited.areas.insert(copy)
      meter.count(.vmaCopied)
    }
    return inherited
  }

  @inlinable func noteMapped(_ pages: UInt64) {
    residentPages &+= pages
    if residentPages > peakResidentPages { peakResidentPages = residentPages }
  }
}

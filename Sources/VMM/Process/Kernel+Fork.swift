// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// Copies layout and translations for a fork; private pages become copy-on-write on both sides.
  @inlinable func copyMemory(of parent: Space<Database>, into child: Space<Database>) throws(Errno) {
    meter.count(.systemCallEntry)
    finishMigrations()
    try promiseCopy(of: parent.layout)
    child.layout = inheritedLayout(parent.layout, for: child)
    for area in parent.layout.areas.areas {
      let keepsProtection = area.flags.contains(.userfaultProtect) && isWatchedInChildren(area)
      guard needsCopy(area) || keepsProtection && area.flags.isDisjoint(with: [.dontFork, .wipeOnFork])
      else { continue }
      meter.count(.vmaStep)
      try copyTranslations(area, from: parent, into: child, keepsProtection: keepsProtection)
      if area.flags.contains(.userfaultProtect), !keepsProtection {
        setProtectionMarks(child, area.range, false)
      }
    }
    if counters.value.watchesLayout { announceFork(child) }
  }

  @usableFromInline func isWatchedInChildren(_ area: VMA) -> Bool {
    watcher(of: area, Userfault.eventFork) != nil
  }

  /// Only pages of the process's own, and guards, have to be copied: file pages come back by faults.
  @inlinable func needsCopy(_ area: VMA) -> Bool {
    (area.isPrivate ? area.flags.contains(.hasPrivatePages) : area.flags.contains(.hasGuards))
      && area.flags.isDisjoint(
        with: Mutation.forkKeepsWiped.isPlanted ? .dontFork : [.dontFork, .wipeOnFork])
  }

  @inlinable @inline(never)
  func copyTranslations(
    _ area: VMA, from parent: Space<Database>, into child: Space<Database>, keepsProtection: Bool = false
  ) throws(Errno) {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let frames = platform.frames
    var pages: UInt64 = 0
    var objects: UInt64 = 0
    var pieces: UInt64 = 0
    let database = parent.database
    var rest = area.range
    while true {
      var lock = database.rangeLock(over: rest)
      database.lockForWriting(&lock)
      var failure: RangeFailure?
      do {
        let flush = try database.copy(
          rest, into: child.database,
          decide: {
            if !area.isPrivate, $0.isPresent {
              return keepsProtection && $0.isUserfaultWriteProtected ? .share : .skip
            }
            if Mutation.forkForgetsGuards.isPlanted, database.swapEntry(of: $0) == Marker.guardPage {
              return .skip
            }
            return $0.isSpecial || Mutation.forkLeavesWritable.isPlanted ? .share : .shareProtected
          },
          copied: { object in
            guard object.isPresent else { return copied(swapped: object, into: child) }
            pages &+= object.size.basePages
            objects &+= 1
            guard !object.isSpecial else { return }
            frames.addMapping(object.frame, order: object.size.order)
            if object.size != .base, frames.isCut(object.frame) { pieces &+= object.size.basePages }
          })
        if Mutation.forkForgetsFlush.isPlanted { flush.discharge() } else { database.settle(flush) }
      } catch { failure = error }
      database.unlock(&lock)
      database.putLock(lock)
      meter.count(.pageCount, objects)
      meter.count(.blockFrame, pieces)
      if area.flags.contains(.hugeTLB) { pages = 0 }
      child.residentPages &+= pages
      noteMapped(pages)
      (pages, objects, pieces) = (0, 0, 0)
      guard let failure else { return }
      // Memory ran out for the child's tables: what reclaim takes from the part that is done, it takes from both.
      rest.start = failure.firstNotDone
      guard failure.reason == .outOfMemory, reclaimAfterFailure() else { throw .enomem }
    }
  }

  /// The child's layout: everything but what is not inherited; locks are not; file holders are counted.
  @usableFromInline
  func inheritedLayout(_ layout: SpaceLayout, for child: Space<Database>) -> SpaceLayout {
    var inherited = layout
    inherited.futureFlags = []
    inherited.hugeReservations = []
    inherited.areas = VMASet()
    for area in layout.areas.areas where !area.flags.contains(.dontFork) {
      var copy = area
      copy.flags.subtract([.locked, .lockedOnFault])
      if copy.userfault != 0 { inheritUserfault(&copy, child) }
      // What was promised to the parent is not promised to the child.
      if copy.flags.contains(.hugeTLB), copy.isPrivate { copy.flags.insert(.noReserve) }
      if copy.flags.contains(.wipeOnFork) { copy.flags.subtract([.hasPrivatePages, .hasHugePages]) }
      hold(copy, in: child)
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

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// Pages that a monitor moves from one place of the watched address space to another.
@usableFromInline struct UserfaultMove {
  @usableFromInline var source: VirtualRange
  @usableFromInline var target: VirtualRange
  @usableFromInline var wakes: Bool
  /// Whether places without a page are passed by.
  @usableFromInline var allowsHoles: Bool
}

extension Kernel {
  /// UFFDIO_MOVE `(target, source, length, mode, moved out)`: DONTWAKE 1, ALLOW_SRC_HOLES 2.
  @usableFromInline
  func planMove(_ space: Space<Database>, _ id: FileID, _ words: [UInt64]) throws(Errno) -> UserfaultMove {
    let target = try userfaultRange(words[0], words[2])
    let source = try userfaultRange(words[1], words[2])
    guard words[3] & ~3 == 0 else { throw .einval }
    guard let to = space.layout.areas.area(at: target.start),
      let from = space.layout.areas.area(at: source.start)
    else { throw .enoent }
    guard to.range.contains(target), from.range.contains(source), to.isPrivate, from.isPrivate,
      to.isAnonymous, from.isAnonymous, to.rights == from.rights, to.rights.contains(.write),
      to.key == from.key, to.flags.contains(.locked) == from.flags.contains(.locked), to.userfault == id.raw
    else { throw .einval }
    return UserfaultMove(
      source: source, target: target, wakes: words[3] & 1 == 0, allowsHoles: words[3] & 2 != 0)
  }

  /// Moves one page after the other until one cannot be.
  /// - Returns: the bytes that were passed, and why it stopped early.
  @inlinable func movePages(_ space: Space<Database>, _ move: UserfaultMove) -> (UInt64, Errno?) {
    do { try splitHugePages(space, move.source) } catch { return (0, error) }
    var done: UInt64 = 0
    while done < move.source.bytes {
      do throws(Errno) {
        try movePage(
          space, from: move.source.start.advanced(by: done), to: move.target.start.advanced(by: done),
          allowsHole: move.allowsHoles)
      } catch { return (done, error) }
      done &+= PageSize.base.bytes
    }
    return (done, nil)
  }

  /// Moves one page, in memory or in swap, that nobody else has.
  /// - Throws: `.eexist` where the target has a page, `.enoent` where the source has none, `.ebusy` for a page that others
  ///   share, `.enomem`; nothing has changed then.
  @inlinable
  func movePage(
    _ space: Space<Database>, from source: VirtualAddress, to target: VirtualAddress, allowsHole: Bool
  ) throws(Errno) {
    guard let index = areaIndex(space, target) else { throw .enoent }
    let key = key(space, index, at: target)
    while true {
      let database = space.database
      let range = VirtualRange(
        Swift.min(source, target), Swift.max(source, target).advanced(by: PageSize.base.bytes))
      var lock = database.rangeLock(over: range)
      database.lockForWriting(&lock)
      defer {
        database.unlock(&lock)
        database.putLock(lock)
      }
      if database.find(target).isMapped { throw .eexist }
      let object = database.find(source)
      guard object.isMapped else {
        if allowsHole { return }
        throw .enoent
      }
      if object.isPresent, !object.isSpecial, !isExclusive(object.frame) { throw .ebusy }
      if !object.isPresent, !isSwapped(object, in: database) { throw .efault }
      if takeOver(space, object, at: target, space.layout.areas.areas[index].rights) {
        if object.isPresent, !object.isSpecial { platform.frames.table.setWord(key.word, object.frame) }
        notePrivatePages(space, index)
        return
      }
      database.unlock(&lock)
      let isWorthTrying = reclaimAfterFailure()
      database.lockForWriting(&lock)
      if !isWorthTrying {
        timesOutOfMemory &+= 1
        throw .enomem
      }
    }
  }

  /// Whether one translation has a page, and nothing else: it leaves the swap cache for that.
  @usableFromInline func isExclusive(_ frame: FrameNumber) -> Bool {
    let table = platform.frames.table
    return table.mappings(frame) == 1 && (table.references(frame) == 0 || leaveSwapCache(frame))
  }

  /// Takes a translation away and makes the same one at `target`.
  /// - Returns: false when there was no memory for tables; everything is as before then.
  @inlinable
  func takeOver(
    _ space: Space<Database>, _ object: Database.Object, at target: VirtualAddress, _ rights: Rights
  ) -> Bool {
    let database = space.database
    var moved = Database.Object(unmappedAt: target, size: .base)
    do {
      if object.isPresent {
        let isOwn = !object.isSpecial
        let grants = grants(rights, writable: isOwn)
        moved.place(object.frame, isOwn ? grants.union(.dirty) : grants.union(.special))
      } else if let entry = database.swapEntry(of: object) {
        moved = try database.object(moved, swappedTo: entry)
      }
      moved.isSoftDirty = true
    } catch { return false }
    let old: Database.Object
    do {
      let change = try database.remove(object)
      old = change.old
      database.settle(change.takeObligation())
    } catch { return false }
    do {
      database.settle(try database.update(moved).takeObligation())
      return true
    } catch {
      do { database.settle(try database.update(old).takeObligation()) } catch {
        preconditionFailure("a translation did not fit where it was")
      }
      return false
    }
  }
}

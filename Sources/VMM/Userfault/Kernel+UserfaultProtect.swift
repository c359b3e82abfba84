// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// UFFDIO_WRITEPROTECT: `(start, length, mode)`: WP 1, DONTWAKE 2. Pages that are not there stay unprotected
  /// in private memory, unless UFFD_FEATURE_WP_UNPOPULATED was asked for.
  /// - Throws: `.eagain` while the monitor has not read of a change of the layout, `.enomem`.
  @inlinable
  func writeProtect(
    _ space: Space<Database>, _ id: FileID, _ userfault: Userfault, _ words: [UInt64]
  ) throws(Errno) {
    let mode = words[2]
    if userfault.isChanging { throw .eagain }
    guard mode < 3 else { throw .einval }
    let range = try userfaultRange(words[0], words[1])
    guard covers(space, range) else { throw .enoent }
    for area in overlapping(space, range) {
      guard area.userfault == id.raw, area.flags.contains(.userfaultProtect) else { throw .enoent }
    }
    setProtectionMarks(space, range, mode & 1 != 0)
    if mode & 1 != 0 {
      for area in overlapping(space, range) where needsMarkers(area, userfault) {
        try protectUnpopulated(space, area.range.intersection(range))
      }
    }
    if mode == 0 { wake(userfault, range) }
  }

  @usableFromInline func needsMarkers(_ area: VMA, _ userfault: Userfault) -> Bool {
    !area.isAnonymous || userfault.has(Userfault.protectsUnpopulated)
  }

  /// Sets or clears the mark of write-protected pages, in memory or in swap. A page without it gets writable again by
  /// its next fault.
  @inlinable func setProtectionMarks(_ space: Space<Database>, _ range: VirtualRange, _ mark: Bool) {
    let database = space.database
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      guard object.isUserfaultWriteProtected != mark else { continue }
      do {
        if isProtectionMarker(object, in: database) {
          database.settle(try database.remove(object).takeObligation())
          continue
        }
        let change = try database.updateAttributes(at: object.start) { object in
          object.isUserfaultWriteProtected = mark
          if mark, object.isPresent { object.isWritable = false }
        }
        database.settle(change.takeObligation())
      } catch { preconditionFailure("a page that was just seen is gone") }
    }
    database.endIteration(iterator)
    database.unlock(&lock)
    database.putLock(lock)
  }
}

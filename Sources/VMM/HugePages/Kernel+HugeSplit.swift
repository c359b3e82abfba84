// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// Splits huge pages that reach over an edge of `range`, so that what lies in it can be changed alone.
  ///
  /// System calls do this before any change, so that running out of memory leaves everything as it was.
  /// - Throws: `.enomem`.
  @inlinable func cutAtEdges(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    guard hugePageCounts.isInUse, !range.isEmpty else { return }
    try cut(space, at: range.start)
    try cut(space, at: range.end)
  }

  /// Splits the huge page that has `edge` inside.
  @inlinable @inline(never)
  func cut(_ space: Space<Database>, at edge: VirtualAddress) throws(Errno) {
    guard hugePageCounts.device != 0 || !edge.isAligned(to: hugeSize),
      let area = space.layout.areas.area(at: edge)
    else { return }
    if area.flags.contains(.device) { return try cutDevice(space, area, at: edge) }
    guard !edge.isAligned(to: hugeSize), area.flags.contains(.hasHugePages),
      let page = hugePage(of: area, at: edge)
    else { return }
    try splitHugePages(space, page)
  }

  /// Splits all huge pages that share an address with `range`.
  /// - Throws: `.enomem`; some are split then, which no program can tell.
  @inlinable @inline(never)
  func splitHugePages(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    guard hugePageCounts.isInUse, !range.isEmpty else { return }
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = space.database
    let last = VirtualRange(page: VirtualAddress(range.end.raw &- 1), hugeSize)
    var lock = database.rangeLock(over: VirtualRange(range.start.aligned(down: hugeSize), last.end))
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    var address = range.start
    while address < range.end {
      let object = database.find(address)
      if object.isMapped, object.size == hugeSize {
        do { try splitHugePage(space, object) } catch {
          timesOutOfMemory &+= 1
          throw .enomem
        }
      }
      // A base page says that its huge page is split, or never was one.
      let page = VirtualRange(page: address, hugeSize)
      address = object.isMapped ? page.end : Swift.max(page.end, object.end)
    }
  }

  /// Replaces a huge translation by base ones and counts its frames one by one. The caller holds the lock.
  @inlinable
  func splitHugePage(_ space: Space<Database>, _ object: Database.Object) throws(TranslationError) {
    try space.database.split(object)
    hugePageCounts.splits &+= 1
    guard object.isPresent, !object.isSpecial else { return }
    meter.count(.pageCount)
    cutAndList(object.frame, order: object.size.order)
  }
}

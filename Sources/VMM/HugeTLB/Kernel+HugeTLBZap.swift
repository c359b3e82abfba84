// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// Removes the translations of a part of an area of pooled huge pages, cut at edges of pages. Pages that nobody has
  /// any more go back to the pool after the flush.
  @inlinable @inline(never)
  func zapPooled(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) {
    guard !part.isEmpty else { return }
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let (database, table) = (space.database, platform.frames.table)
    var freed: [(head: FrameNumber, address: VirtualAddress)] = []
    var lock = database.rangeLock(over: part)
    database.lockForWriting(&lock)
    do {
      let flush = try database.removeAll(in: part) { object in
        guard object.isPresent else { return }
        meter.count(.pageCount)
        if table.dropMapping(object.frame) == 0, table.references(object.frame) == 0 {
          freed.append((object.frame, object.start))
        }
      }
      database.settle(flush)
    } catch { preconditionFailure("pooled huge pages reach over the edge of a range: \(error)") }
    database.unlock(&lock)
    database.putLock(lock)
    putBack(freed, space, area)
  }

  /// Removes the translations of a whole area, or of one that was cut out.
  @inlinable func zap(_ space: Space<Database>, area: VMA) {
    if area.flags.contains(.hugeTLB) { return zapPooled(space, area, area.range) }
    let kept: UInt64 = Mutation.unmapLeavesLastPage.isPlanted ? PageSize.base.bytes : 0
    zap(space, VirtualRange(area.range.start, bytes: area.range.bytes &- kept))
  }
}

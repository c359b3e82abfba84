// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// The end of kernel mappings: translations go at once, TLBs are told now or later.
extension Kernel {
  /// Unmaps what `allocateKernelMemory` or `mapKernelFrames` mapped at `start` (Linux: `vfree`, `vunmap`).
  ///
  /// Lazily, addresses and frames stay reserved until a flush that serves many areas: a CPU that still remembers the
  /// mapping reaches nobody else's memory.
  /// - Throws: `.einval` when no mapping starts there.
  @inlinable public func freeKernelMemory(at start: VirtualAddress) throws(Errno) {
    guard let area = kernelMemory.area(at: start), area.range.start == start, !area.isFreed else {
      throw .einval
    }
    let mark = meter.enter(.other)
    defer { meter.leave(mark) }
    if kernelMemory.flushing == .immediate {
      withKernelLock(area.range) { clear(area.range) }
      return forget([area])
    }
    withKernelLock(area.range) { takeOutSilently(area.range) }
    noteFreed(area)
    if kernelMemory.freedPages > kernelMemory.lazyPages { _ = purgeKernelMemory() }
  }

  /// Flushes all areas that were freed lazily, with one shootdown, and gives back their addresses, frames and tables.
  /// - Returns: how many base pages were given back.
  @inlinable @discardableResult public func purgeKernelMemory() -> UInt64 {
    let freed = freedAreas()
    guard let first = freed.first, let last = freed.last else { return 0 }
    let mark = meter.enter(.rangeOperation)
    let database = service.kernelDatabase
    let span = VirtualRange(first.range.start, last.range.end)
    withKernelLock(span) {
      database.batch {
        for area in freed { clear(area.range) }
        database.flush(span, stride: .base)
      }
    }
    meter.leave(mark)
    forget(freed)
    return notePurge(freed)
  }

  /// Removes translations and owes the flush to the next purge. One by one, because a range function may free tables, and
  /// has to flush then.
  @inlinable func takeOutSilently(_ range: VirtualRange) {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = service.kernelDatabase
    var iterator = database.makeIterator(over: range)
    while let object = database.nextMapped(&iterator) {
      do { try database.remove(object).takeObligation().discharge() } catch {
        preconditionFailure("a kernel mapping could not be removed: \(error)")
      }
    }
    database.endIteration(iterator)
  }

  /// Runs `body` while nobody else changes translations of `range`.
  @inlinable func withKernelLock(_ range: VirtualRange, _ body: () -> Void) {
    let database = service.kernelDatabase
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    body()
    database.unlock(&lock)
    database.putLock(lock)
  }

  @usableFromInline func freedAreas() -> [KernelArea] {
    kernelMemory.freedPages == 0 ? [] : kernelMemory.areas.filter(\.isFreed)
  }

  @usableFromInline func noteFreed(_ area: KernelArea) { kernelMemory.markFreed(area.range.start) }

  @usableFromInline func notePurge(_ areas: [KernelArea]) -> UInt64 {
    kernelMemory.purges += 1
    return areas.reduce(0) { $0 + $1.range.pages }
  }

  /// Areas that no TLB remembers: their frames and addresses are free.
  @usableFromInline func forget(_ areas: [KernelArea]) {
    let mark = meter.enter(.pageSupply)
    defer { meter.leave(mark) }
    for area in areas {
      meter.count(.vmaChange)
      kernelMemory.remove(area.range.start)
      if area.ownsFrames { giveBackFrames(area.pieces) } else { letGo(of: area.pieces) }
    }
  }

  /// Gives everything back, at shutdown; the driver takes the tables down itself.
  @usableFromInline func releaseKernelMemory() { forget(kernelMemory.areas) }
}

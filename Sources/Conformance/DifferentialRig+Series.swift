// SPDX-License-Identifier: MIT
public import EMTCore
public import Reference
public import SimMemory

// Steps that are several calls.
extension DifferentialRig {
  /// Iterates, and at every third object removes what was just seen or inserts a page further on.
  @inlinable func walk(_ step: DifferentialStep, _ first: Shadow) throws {
    var iterator = first.makeIterator(over: step.range)
    var count: UInt64 = 0
    if step.bits & 1 == 0 { first.skip(&iterator, pages: step.bits >> 8 & 3) }
    while first.hasNext(iterator), count < 40 {
      let object = step.bits & 2 == 0 ? first.next(&iterator) : first.nextMapped(&iterator)
      guard let object else { break }
      count += 1
      guard (count &+ step.bits) % 3 == 0 else { continue }
      if object.isMapped, step.bits & 4 == 0 {
        first.settle(try first.remove(object).takeObligation())
      } else {
        let place = VirtualAddress(step.range.start.raw &+ (step.bits &+ count &* 7) % 1024 << 12)
        guard !isBad(place), place.raw != 0, !first.expected(at: place).isMapped else { continue }
        touched.append((Int(step.space), VirtualRange(page: place, .base)))
        do { first.settle(try first.update(page(step, place)).takeObligation()) } catch {}
      }
    }
    first.endIteration(iterator)
  }

  /// A base page at `place` with the flags of `step`.
  @inlinable func page(_ step: DifferentialStep, _ place: VirtualAddress) -> Database.Object {
    var page = step
    page.address = place.raw
    page.shift = 12
    return object(page)
  }

  /// Flushes; what the TLBs of CPUs on the space keep must not touch the flushed range then.
  @inlinable func flush(_ step: DifferentialStep, _ first: Shadow) {
    var flushed = step.range
    switch step.bits % 3 {
    case 0:
      first.flush(step.start)
      flushed = VirtualRange(page: step.start, .base)
    case 1: first.flush(step.range, stride: step.bits & 4 == 0 ? .base : step.size)
    default:
      first.flushAll()
      flushed = first.half
    }
    deliver()
    for cpu in units.indices where running[cpu] == Int(step.space) || step.isKernel {
      for page in units[cpu].pages
      where page.space == first.context.spaceID && page.object.span.overlaps(flushed) {
        report("CPU \(cpu) is told to forget \(flushed)", "its TLB keeps \(page.object.summary)")
      }
    }
  }

  /// Changes to neighbouring pages whose flushes go out together, with a batch inside the batch.
  @inlinable func batch(_ step: DifferentialStep, _ first: Shadow) throws {
    touched.append((Int(step.space), VirtualRange(step.range.start, bytes: 8 << 12)))
    guard !isBad(step.start), !isBad(step.range.start.advanced(by: 8 << 12)) else { return }
    try first.batch {
      for number in 0..<4 as Range<UInt64> {
        let place = step.range.start.advanced(by: number << 12)
        first.settle(try first.update(page(step, place)).takeObligation())
      }
      try first.batch {
        let range = VirtualRange(step.range.start, bytes: 8 << 12)
        first.settle(try first.setProtection(in: range, to: rights(step.bits >> 4)))
      }
      let there = first.expected(at: step.range.start)
      if there.isMapped, there.size == .base, step.bits & 1 == 0 {
        first.settle(try first.remove(there).takeObligation())
      }
    }
  }

  /// Reads under a lock that others may hold too, and writes under one that nobody else holds.
  @inlinable func locked(_ step: DifferentialStep, _ first: Shadow) throws {
    var lock = first.rangeLock(over: step.range)
    first.lockForReading(&lock)
    _ = first.find(step.start)
    _ = first.countMapped(in: VirtualRange(page: step.start, .base))
    first.unlock(&lock)
    first.lockForWriting(&lock)
    defer {
      first.unlock(&lock)
      first.putLock(lock)
    }
    if step.bits & 1 == 0 {
      first.settle(try first.update(page(step, step.range.start)).takeObligation())
    } else {
      first.settle(try first.setProtection(in: step.range, to: rights(step.bits >> 4)))
    }
  }
}

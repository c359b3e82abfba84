// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

// How each kind of step is carried out. Steps whose preconditions do not hold do nothing.
extension DifferentialRig {
  func run(_ step: DifferentialStep) {
    let frames = machine.platform.frames
    if let successes = step.failAfter { frames.injectFailure(after: successes, staysBroken: true) }
    // A refusal is an answer like any other: the shadow has compared it already.
    do { try carryOut(step) } catch {}
    frames.stopInjectingFailures()
  }

  private func carryOut(_ step: DifferentialStep) throws {
    switch step.kind {
    case .find: _ = first.find(step.start)
    case .update: first.settle(try first.update(object(step)).takeObligation())
    case .swapOut: try swapOut(step)
    case .remove: first.settle(try first.remove(object(step)).takeObligation())
    case .removeAndUndo: try removeAndUndo(step)
    case .insertRun: first.settle(try first.insertRun(object(step), count: step.pages))
    case .split: try first.split(target(step))
    case .prepareAndSplit:
      try first.prepareForSplit(target(step).span)
      try first.split(target(step))
    case .collapse: try first.collapse(into: object(step)) { $0.start.pageNumber % 8 != step.bits % 16 }
    case .eligible:
      let page = VirtualRange(page: step.start, step.size)
      _ = first.isEligible(
        step.size, for: page, in: VirtualRange(page.start, bytes: step.size.bytes << (step.bits & 1)))
    case .measure:
      _ = first.isVoid(step.range)
      _ = first.countMapped(in: step.range)
    case .removeAll: first.settle(try first.removeAll(in: step.range) { _ in })
    case .protect: first.settle(try first.setProtection(in: step.range, to: rights(step.bits)))
    case .copy: try copy(step)
    case .move: try move(step)
    case .walk: try walk(step)
    case .edit, .accessed, .dirty, .touch, .makeWritable: try changeInPlace(step)
    }
  }

  private func changeInPlace(_ step: DifferentialStep) throws {
    switch step.kind {
    case .accessed: _ = try first.testAndClearAccessed(at: step.start)
    case .dirty: first.settle(try first.testAndClearDirty(at: step.start).takeObligation())
    case .touch: try first.setAccessed(at: step.start, alsoDirty: step.bits & 1 != 0)
    case .makeWritable: try first.makeWritable(at: step.start)
    default:
      let change = try first.updateAttributes(at: step.start) { object in
        object.isSoftDirty = step.bits & 1 != 0
        object.isUserfaultWriteProtected = step.bits & 2 != 0
        guard object.isPresent else { return }
        object.isWritable = step.bits & 4 != 0
        object.hasNumaHint = step.bits & 24 == 0
      }
      first.settle(change.takeObligation())
    }
  }

  private func rights(_ bits: UInt64) -> Protection {
    Protection(readable: bits & 1 != 0, writable: bits & 2 != 0, executable: bits & 4 != 0)
  }

  /// The page that a step inserts: frame and flags follow from its bits.
  private func object(_ step: DifferentialStep) -> Database.Object {
    var object = Database.Object(unmappedAt: step.start.aligned(down: step.size), size: step.size)
    object.isPresent = true
    object.physicalAddress = PhysicalAddress((1 + step.bits % 61) << UInt64(step.shift))
    object.isUser = step.bits & 1 == 0
    object.isWritable = step.bits & 2 == 0
    object.isExecutable = step.bits & 4 == 0
    object.isAccessed = step.bits & 8 == 0
    object.isDirty = step.bits & 16 == 0
    object.isSoftDirty = step.bits & 32 == 0
    object.isSpecial = step.bits & 0xC0 == 0xC0
    object.cacheMode = step.bits & 0x700 == 0x700 ? .uncached : .writeBack
    if step.bits & 0x7800 == 0x7800 { object.hasNumaHint = true }
    return object
  }

  /// What a split is asked to split: what is there, or a huge page that is not.
  private func target(_ step: DifferentialStep) -> Database.Object {
    let there = first.expected(at: step.start)
    return there.isPresent ? there : object(step)
  }

  private func swapOut(_ step: DifferentialStep) throws {
    let there = first.expected(at: step.start)
    let page = there.isMapped && there.size == .base ? there : object(step)
    let swapped = try first.object(page, swappedTo: SwapEntry(area: 0, offset: step.bits))
    first.settle(try first.update(swapped).takeObligation())
    _ = first.swapEntry(of: first.find(step.start))
  }

  /// A removal can always be undone, whatever the memory.
  private func removeAndUndo(_ step: DifferentialStep) throws {
    let there = first.expected(at: step.start)
    let removed = try first.remove(there.isMapped ? there : object(step))
    let old = removed.old
    first.settle(removed.takeObligation())
    do { first.settle(try first.update(old).takeObligation()) } catch {
      service.log.report(expected: "\(old.summary) can be put back", got: "\(error)")
    }
  }

  private func copy(_ step: DifferentialStep) throws {
    second.settle(try second.removeAll(in: step.range) { _ in })
    let owed = try first.copy(step.range, into: second) { object in
      [.share, .shareProtected, .skip][Int((object.start.pageNumber ^ step.bits) % 3)]
    } copied: { _ in
    }
    first.settle(owed)
  }

  private func move(_ step: DifferentialStep) throws {
    let pages: UInt64 = step.bits & 8 == 0 ? 0 : step.bits & 7
    let slots = 1 + step.bits >> 4 & 3
    let there = step.address >= 1 << 33
    let target = VirtualAddress(there ? step.address - 1 << 33 : step.address + slots << 33 + pages << 12)
    guard first.isVoid(VirtualRange(target, bytes: step.range.bytes)) else {
      return first.settle(try first.removeAll(in: VirtualRange(target, bytes: step.range.bytes)) { _ in })
    }
    first.settle(try first.move(step.range, to: target))
  }

  /// Iterates, and at every third object removes what was just seen or inserts a page further on.
  private func walk(_ step: DifferentialStep) throws {
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
        let place = VirtualAddress(step.address &+ (step.bits &+ count &* 7) % 1024 << 12)
        guard !first.expected(at: place).isMapped else { continue }
        var page = step
        page.address = place.raw
        page.shift = 12
        do { first.settle(try first.update(self.object(page)).takeObligation()) } catch {}
      }
    }
    first.endIteration(iterator)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import Reference
public import SimMemory

// How each kind of step is carried out. Steps whose preconditions do not hold do nothing.
extension DifferentialRig {
  @inlinable func run(_ step: DifferentialStep) {
    touched.removeAll(keepingCapacity: true)
    guard !step.isKernel || !step.kind.isAboutUserSpace else { return }
    if !isBad(step.start) { touched.append((Int(step.space), reach(of: step))) }
    inject(step)
    // A refusal is an answer like any other: the shadow has compared it already. Only memory it cannot judge.
    var isShort = false
    do { try carryOut(step) } catch {
      switch error {
      case let error as TranslationError: isShort = error == .outOfMemory
      case let error as RangeFailure: isShort = error.reason == .outOfMemory
      case is AttributeError: break
      default: report("no such error", "\(error)")
      }
    }
    let hasFailed = hasInjectedFailure(step)
    if isShort, !hasFailed { report("success: memory was not short", "outOfMemory") }
  }

  /// What a step may change.
  @inlinable func reach(of step: DifferentialStep) -> VirtualRange {
    if step.kind == .insertRun { return VirtualRange(step.start, bytes: step.pages << UInt64(step.shift)) }
    return step.pages > 1 ? step.range : VirtualRange(page: step.start, step.size)
  }

  /// Whether no scheme can translate `address`.
  @inlinable func isBad(_ address: VirtualAddress) -> Bool {
    let high = Int64(bitPattern: address.raw) >> Int64(addressBits - 1)
    return high != 0 && high != -1
  }

  @inlinable func carryOut(_ step: DifferentialStep) throws {
    let first = spaces[Int(step.space)]
    switch step.kind {
    case .find: _ = first.find(step.start)
    case .update: first.settle(try first.update(object(step)).takeObligation())
    case .swapOut: try swapOut(step, first)
    case .remove: first.settle(try first.remove(object(step)).takeObligation())
    case .removeAndUndo: try removeAndUndo(step, first)
    case .insertRun: first.settle(try first.insertRun(object(step), count: step.pages))
    case .split: try first.split(target(step))
    case .prepareAndSplit:
      try first.prepareForSplit(target(step).span)
      try first.split(target(step))
    case .collapse: try first.collapse(into: object(step)) { $0.start.pageNumber % 8 != step.bits % 16 }
    case .eligible: askSizes(step, first)
    case .measure:
      _ = first.isVoid(step.range)
      _ = first.countMapped(in: step.range)
    case .removeAll: first.settle(try first.removeAll(in: step.range) { _ in })
    case .protect: first.settle(try first.setProtection(in: step.range, to: rights(step.bits)))
    case .copy: try copy(step)
    case .move: try move(step, first)
    case .walk: try walk(step, first)
    case .edit, .accessed, .dirty, .touch, .makeWritable: try changeInPlace(step, first)
    case .access: if !isBad(step.start) { access(step) }
    case .flush: flush(step, first)
    case .batch: try batch(step, first)
    case .locked: try locked(step, first)
    case .switchSpace: try run(on: Int(step.bits) % subject.cpus, Int(step.space))
    case .recreate: try recreate(Int(step.space), step)
    case .fork: try fork(step)
    case .purge: try purge(step)
    }
  }

  @inlinable func changeInPlace(_ step: DifferentialStep, _ first: Shadow) throws {
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

  @inlinable func rights(_ bits: UInt64) -> Protection {
    Protection(readable: bits & 1 != 0, writable: bits & 2 != 0, executable: bits & 4 != 0)
  }

  /// The page that a step inserts: frame and flags follow from its bits.
  @inlinable func object(_ step: DifferentialStep) -> Database.Object {
    var object = Database.Object(unmappedAt: step.start.aligned(down: step.size), size: step.size)
    if step.bits & 0x18000 == 0x18000 {
      object.place(
        FrameNumber((1 + step.bits % 61) << UInt64(step.shift - 12)),
        PageGrants(rawValue: UInt8(truncatingIfNeeded: step.bits & 127)))
      return object
    }
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
  @inlinable func target(_ step: DifferentialStep) -> Database.Object {
    let there = spaces[Int(step.space)].expected(at: step.start)
    return there.isPresent ? there : object(step)
  }

  @inlinable func swapOut(_ step: DifferentialStep, _ first: Shadow) throws {
    let there = first.expected(at: step.start)
    let page = there.isMapped && there.size == .base ? there : object(step)
    let largest = first.largestSwapOffset
    let offset = step.bits & 15 == 0 ? largest : step.bits & largest
    let entry = SwapEntry(area: UInt8(step.bits >> 8 & 31) % 31, offset: offset)
    let swapped = try first.object(page, swappedTo: entry)
    first.settle(try first.update(swapped).takeObligation())
    _ = first.swapEntry(of: first.find(step.start))
  }

  /// A removal can always be undone, whatever the memory.
  @inlinable func removeAndUndo(_ step: DifferentialStep, _ first: Shadow) throws {
    let there = first.expected(at: step.start)
    let removed = try first.remove(there.isMapped ? there : object(step))
    let old = removed.old
    first.settle(removed.takeObligation())
    do { first.settle(try first.update(old).takeObligation()) } catch {
      report("\(old.summary) can be put back", "\(error)")
    }
  }

  @inlinable func askSizes(_ step: DifferentialStep, _ first: Shadow) {
    let page = VirtualRange(page: step.start, step.size)
    _ = first.isEligible(
      step.size, for: page, in: VirtualRange(page.start, bytes: step.size.bytes << (step.bits & 1)))
    _ = first.smallerSize(than: step.size)
  }

  @inlinable func copy(_ step: DifferentialStep) throws {
    guard !step.isKernel else { return }
    let (first, to) = (spaces[Int(step.space)], (Int(step.space) + 1 + Int(step.bits >> 8) % 3) % 4)
    let second = spaces[to]
    touched.append((to, step.range))
    second.settle(try second.removeAll(in: step.range) { _ in })
    let owed = try first.copy(step.range, into: second) { object in
      [.share, .shareProtected, .skip][Int((object.start.pageNumber ^ step.bits) % 3)]
    } copied: { _ in
    }
    first.settle(owed)
  }

  @inlinable func move(_ step: DifferentialStep, _ first: Shadow) throws {
    let pages: UInt64 = step.bits & 8 == 0 ? 0 : step.bits & 7
    let slots = 1 + step.bits >> 4 & 3
    let start = step.range.start.raw
    let isBack = step.address >= 1 << 33
    let target = VirtualAddress(isBack ? start &- 1 << 33 : start &+ slots << 33 &+ pages << 12)
    let there = VirtualRange(target, bytes: step.range.bytes)
    touched.append((Int(step.space), there))
    guard first.isVoid(there) else { return first.settle(try first.removeAll(in: there) { _ in }) }
    first.settle(try first.move(step.range, to: target))
  }
}

extension DifferentialKind {
  /// Whether the kernel's space has no such step: it is always there and is copied to nobody.
  @inlinable var isAboutUserSpace: Bool {
    switch self {
    case .recreate, .fork, .copy: true
    default: false
    }
  }
}

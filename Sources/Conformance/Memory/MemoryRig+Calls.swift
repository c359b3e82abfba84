// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

extension MemoryRig {
  /// Performs a call on the machine, tells the model what it did, and compares the pages that it was about.
  func perform(_ process: Proc, _ number: SystemCallNumber, _ arguments: [UInt64]) {
    let arguments = translate(process, number, arguments)
    let predicted = prediction(process.pid, number, arguments)
    let pagesBefore = model.processes[process.pid]?.count ?? 0
    let shortagesBefore = machine.kernel.timesOutOfMemory
    var result: UInt64?
    var failure: Errno?
    do throws(Errno) {
      let strings = number == .memfdCreate ? [0: "file"] : [:]
      result = try calls.systemCall(process, SystemCallRequest(number, arguments, strings: strings))
    } catch { failure = error }
    mix(result ?? UInt64(failure?.rawValue ?? 0) << 56)
    let ranShort = machine.kernel.timesOutOfMemory > shortagesBefore
    if ranShort { expectShortage("\(number)") }
    if !ranShort, let predicted, predicted.failure != failure {
      report(
        "\(number) ends with \(failure?.name ?? "success"), expected \(predicted.failure?.name ?? "success")")
    }
    note(process, number, arguments, result: result, failure: failure, ranShort: ranShort)
    checkLimit(process, number, pagesBefore, isDone: failure == nil)
  }

  /// Tells the model what a call did.
  private func note(
    _ process: Proc, _ number: SystemCallNumber, _ arguments: [UInt64], result: UInt64?, failure: Errno?,
    ranShort: Bool
  ) {
    let pid = process.pid
    let touched = pages(arguments[0], arguments[1])
    forgetWritten(pid, touched)
    switch number {
    case .mmap:
      guard let start = result else { return unchanged(process, touched) }
      noteMapping(pid, pages(start, arguments[1]), arguments)
      let isLocked = futureLock(pid) & 4 == 0 && futureLock(pid) != 0
      if arguments[3] & 0x8000 != 0 || isLocked { populate(process, pages(start, arguments[1]), ranShort) }
      compare(process, pages(start, arguments[1]))
    case .mremap:
      guard let start = result else {
        if ranShort { adoptHoles(process, touched) }
        if ranShort, arguments[3] & 2 != 0 { adoptHoles(process, pages(arguments[4], arguments[2])) }
        return unchanged(process, touched)
      }
      let target = pages(start, arguments[2])
      model.remap(pid, touched, to: target, keepsSource: arguments[3] & 4 != 0)
      if arguments[3] & 4 != 0 { adoptUnlocked(process, touched) }
      forgetWritten(pid, target)
      populateLocked(process, touched, target, ranShort)
      compare(process, touched)
      compare(process, target)
    case .brk:
      if let end = result { noteBreak(process, end, ranShort) }
    case .ftruncate:
      guard failure == nil, let file = file(pid, arguments[0]) else { return }
      forgetAllWritten()
      model.truncate(file, toPages: (arguments[1] + 4095) >> 12)
    case .fallocate:
      let piece = pages(arguments[2], arguments[3])
      if failure == nil, let file = file(pid, arguments[0]) { model.files[file]?.clear(piece) }
    case .pkeyAlloc:
      if let key = result { model.keyRights[pid, default: [:]][UInt8(key)] = UInt32(arguments[1]) }
    case .pkeyFree: break
    case .mincore, .mlock2, .mlockall, .munlockall, .mseal, .remapFilePages, .shmget, .shmat, .shmdt, .shmctl,
      .memfdCreate, .fcntl:
      noteRare(process, number, arguments, result: result, failure: failure, ranShort: ranShort)
    default:
      if !ranShort || failure == nil {
        note(process, number, arguments, touched, failure, ranShort: ranShort)
      }
      if ranShort { adoptCopies(process, touched) }
      compare(process, touched)
    }
  }

  /// What calls on existing pages did. As on Linux, some go on up to the first page that they cannot be done to.
  private func note(
    _ process: Proc, _ number: SystemCallNumber, _ arguments: [UInt64], _ range: Range<UInt64>,
    _ failure: Errno?, ranShort: Bool = false
  ) {
    let pid = process.pid
    let roundsDown = number == .mlock || number == .munlock
    guard failure == nil || roundsDown || arguments[0] & 4095 == 0 else { return }
    switch number {
    case .munmap: if failure == nil { model.unmap(pid, range) }
    case .mprotect, .pkeyMprotect:
      guard failure != .einval else { return }
      let rights = UInt8(truncatingIfNeeded: arguments[2] & 7)
      let isKeyed = number == .pkeyMprotect && arguments[3] < 16
      let end = firstPage(pid, in: range) { stopsProtection($0, rights) }
      let filled = (range.lowerBound..<end).filter { number in
        guard rights & 2 != 0, let page = model.page(pid, number) else { return false }
        return page.isLocked && !page.isLockedOnFault && !page.isShared && page.rights & 2 == 0
      }
      model.update(pid, range.lowerBound..<end) { page in
        page.rights = rights
        if isKeyed { page.key = UInt8(arguments[3]) }
      }
      for number in filled { populate(process, number..<number + 1, ranShort) }
    case .mlock, .munlock:
      guard failure != .einval else { return }
      lock(process, range, number == .mlock ? 1 : 0, ranShort: false)
    case .madvise: advise(pid, arguments[2], range)
    default: break
    }
  }

  /// What advice did to the contents of `range`.
  func noteAdvice(_ process: Proc, _ advice: UInt64, _ range: Range<UInt64>) {
    forgetWritten(process.pid, range)
    advise(process.pid, advice, range)
  }

  private func advise(_ pid: UInt32, _ advice: UInt64, _ range: Range<UInt64>) {
    guard let advice = Advice(rawValue: advice) else { return }
    if advice == .populateRead || advice == .populateWrite {
      return model.populate(pid, range, forStore: advice == .populateWrite)
    }
    for number in range {
      guard let page = model.page(pid, number) else { continue }
      if refusal(of: advice, page) != nil { return }
      if advice == .remove, let file = page.file {
        forgetAllWritten()
        model.files[file.number]?.clear(file.page..<file.page + 1)
      }
      model.update(pid, number..<number + 1) { page in
        switch advice {
        case .dontNeed, .dontNeedLocked: page.drop()
        case .free: page.mayVanish = page.own?.isEmpty == false
        case .wipeOnFork: page.isWipedOnFork = true
        case .keepOnFork: page.isWipedOnFork = false
        case .dontFork: page.isKeptFromFork = true
        case .doFork: page.isKeptFromFork = false
        case .guardInstall:
          page.drop()
          page.isGuard = true
        case .guardRemove: page.isGuard = false
        default: break
        }
      }
    }
  }

  /// What a locked mapping gains, or brings to another place, is brought in.
  private func populateLocked(
    _ process: Proc, _ source: Range<UInt64>, _ target: Range<UInt64>, _ ranShort: Bool
  ) {
    let first = model.page(process.pid, target.lowerBound)
    guard let first, first.isLocked, !first.isLockedOnFault else { return }
    // What was there before stays as it is.
    let start = target.lowerBound + UInt64(min(source.count, target.count))
    populate(process, start..<target.upperBound, ranShort)
  }

  /// MREMAP_DONTUNMAP unlocks the whole area, of which the model knows no borders: the kernel's are taken over.
  private func adoptUnlocked(_ process: Proc, _ source: Range<UInt64>) {
    let start = VirtualAddress(source.lowerBound << 12)
    let range = VirtualRange(start, bytes: UInt64(source.count) << 12)
    for area in process.space.layout.areas.overlapping(range) where !area.flags.contains(.locked) {
      model.update(process.pid, area.range.start.raw >> 12..<area.range.end.raw >> 12) {
        $0.isLocked = false
        $0.isLockedOnFault = false
      }
    }
  }

  private func noteMapping(_ pid: UInt32, _ range: Range<UInt64>, _ arguments: [UInt64]) {
    let rights = UInt8(truncatingIfNeeded: arguments[2] & 7)
    let (isShared, isAnonymous) = (arguments[3] & 15 == 1, arguments[3] & 0x20 != 0)
    var page = ModelPage(rights: rights)
    if isAnonymous, isShared {
      model.files[nextFile] = ModelFile(pageCount: UInt64(range.count))
      page = ModelPage(rights: rights, file: nextFile, page: 0, isShared: true)
      nextFile += 1
    } else if !isAnonymous, let file = file(pid, arguments[4]) {
      page = ModelPage(rights: rights, file: file, page: arguments[5] >> 12, isShared: isShared)
      page.mayWrite = !isShared || (model.files[file]?.seals ?? 0) & 24 == 0
    }
    page.isLocked = futureLock(pid) != 0
    page.isLockedOnFault = futureLock(pid) & 4 != 0
    model.map(pid, range, page)
  }

  private func noteBreak(_ process: Proc, _ end: UInt64, _ ranShort: Bool) {
    let start = process.space.layout.breakStart?.raw ?? end
    let old = ((breaks[process.pid] ?? start) + 4095) >> 12
    let new = (end + 4095) >> 12
    if new > old {
      var page = ModelPage(rights: 3)
      page.isLocked = futureLock(process.pid) != 0
      page.isLockedOnFault = futureLock(process.pid) & 4 != 0
      model.map(process.pid, old..<new, page)
    }
    forgetWritten(process.pid, min(old, new)..<max(old, new))
    if new < old { model.unmap(process.pid, new..<old) }
    breaks[process.pid] = end
    compare(process, min(old, new)..<max(old, new))
  }

  /// After a call that memory ran out for, what it had unmapped before is gone.
  private func adoptHoles(_ process: Proc, _ range: Range<UInt64>) {
    for number in range where process.space.layout.areas.firstHole(in: page(number)) != nil {
      model.set(process.pid, number, nil)
    }
  }

  func unchanged(_ process: Proc, _ range: Range<UInt64>) { compare(process, range) }

  /// The pages of a range, as the calls here round it; nothing for ranges that no call accepts.
  func pages(_ start: UInt64, _ bytes: UInt64) -> Range<UInt64> {
    let first = start >> 12
    guard bytes < 1 << 45 else { return first..<first }
    return first..<(start & ~4095 + (bytes + start & 4095 + 4095) & ~4095) >> 12
  }

  func page(_ number: UInt64) -> VirtualRange { VirtualRange(page: VirtualAddress(number << 12), .base) }
}

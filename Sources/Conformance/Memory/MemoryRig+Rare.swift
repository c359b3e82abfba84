// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import Reference
internal import SimMemory
internal import VMM

extension MemoryRig {
  /// The arguments of a call with what a step cannot know: identifiers of segments, descriptors of own files.
  func translate(_ process: Proc, _ number: SystemCallNumber, _ arguments: [UInt64]) -> [UInt64] {
    var arguments = arguments + Array(repeating: 0, count: 6 - arguments.count)
    let place: Int? =
      switch number {
      case .mmap where arguments[3] & 0x20 == 0: 4
      case .ftruncate, .fallocate, .fcntl: 0
      default: nil
      }
    if let place, arguments[place] == MemoryStepGenerator.ownFile {
      arguments[place] = possessions[process.pid]?.ownFile?.descriptor ?? 999
    }
    if number == .shmat || number == .shmctl {
      arguments[0] = segments[arguments[0]]?.identifier ?? 0x7FFF_FFFF
    }
    return arguments
  }

  /// The model's number of the file behind a descriptor.
  func file(_ pid: UInt32, _ descriptor: UInt64) -> Int? {
    if MemoryStepGenerator.files.contains(descriptor) { return Int(descriptor) }
    guard let own = possessions[pid]?.ownFile, own.descriptor == descriptor else { return nil }
    return own.file
  }

  /// What the rarer calls did.
  func noteRare(
    _ process: Proc, _ number: SystemCallNumber, _ arguments: [UInt64], result: UInt64?, failure: Errno?,
    ranShort: Bool
  ) {
    let (pid, range) = (process.pid, pages(arguments[0], arguments[1]))
    switch number {
    case .mincore:
      let count = UInt64(range.count)
      guard failure == nil || ranShort, count > 0 else { return }
      let answer = arguments[2] >> 12..<(arguments[2] + count + 4095) >> 12
      noteAnswer(process, range, arguments[2], isDone: failure == nil)
      compare(process, answer)
    case .mlock2:
      guard failure != .einval else { return }
      lock(process, range, arguments[2] == 1 ? 4 : 1, ranShort: ranShort)
      compare(process, range)
    case .mlockall: if failure == nil { lockEverything(process, arguments[0], ranShort) }
    case .munlockall:
      possessions[pid]?.futureLock = 0
      model.update(pid, 0..<1 << 52) {
        $0.isLocked = false
        $0.isLockedOnFault = false
      }
    case .mseal:
      if failure == nil { model.update(pid, range) { $0.isSealed = true } }
    case .remapFilePages:
      guard failure == nil, var page = model.page(pid, range.lowerBound), let file = page.file else { return }
      page.file = (file.number, arguments[3])
      page.isGuard = false
      model.map(pid, range.lowerBound..<range.lowerBound + arguments[1] >> 12, page)
      compare(process, range)
    case .memfdCreate:
      guard let descriptor = result else { return }
      model.files[nextFile] = ModelFile(pageCount: 0)
      possessions[pid]?.ownFile = (descriptor, nextFile)
      nextFile += 1
    case .fcntl:
      if failure == nil, let file = file(pid, arguments[0]) { model.files[file]?.seals |= arguments[2] }
    default: noteSegments(process, number, arguments, result)
    }
  }

  private func noteSegments(
    _ process: Proc, _ number: SystemCallNumber, _ arguments: [UInt64], _ result: UInt64?
  ) {
    let pid = process.pid
    switch number {
    case .shmget:
      guard let identifier = result, segments[arguments[0]]?.identifier != identifier else { return }
      segments[arguments[0]] = (identifier, nextFile)
      model.files[nextFile] = ModelFile(pageCount: (arguments[1] + 4095) >> 12)
      nextFile += 1
    case .shmctl:
      // A new segment takes the place of a removed one.
      if result != nil, let key = segments.first(where: { $0.value.identifier == arguments[0] })?.key {
        segments[key] = nil
      }
    case .shmat:
      let segment = segments.values.first { $0.identifier == arguments[0] }
      guard let start = result, let segment, let file = model.files[segment.file] else {
        return unchanged(process, arguments[1] >> 12..<arguments[1] >> 12 + 700)
      }
      let isReadOnly = arguments[2] & 0o10000 != 0
      var page = ModelPage(rights: isReadOnly ? 1 : 3, file: segment.file, page: 0, isShared: true)
      page.mayWrite = !isReadOnly
      page.isSegment = true
      page.isLocked = futureLock(pid) != 0
      page.isLockedOnFault = futureLock(pid) & 4 != 0
      let range = start >> 12..<start >> 12 + file.pageCount
      forgetWritten(pid, range)
      model.map(pid, range, page)
      compare(process, range)
    case .shmdt:
      if result != nil { detach(process, arguments[0] >> 12) }
    default: break
    }
  }

  /// `shmdt` succeeded: the pages that are still where the attachment put them go.
  private func detach(_ process: Proc, _ start: UInt64) {
    func isInPlace(_ number: UInt64, _ page: ModelPage) -> Bool {
      guard page.isSegment, let file = page.file else { return false }
      return number - start == file.page
    }
    let pid = process.pid
    var file: Int?
    model.processes[pid]?.forEach(in: start..<1 << 52) { number, page in
      if isInPlace(number, page) { file = page.file?.number }
      return file == nil
    }
    guard let file, let size = model.files[file]?.pageCount else {
      return report("shmdt finds something at \(hex(start << 12)), and should not")
    }
    let range = start..<start + size
    var gone: [UInt64] = []
    model.processes[pid]?.forEach(in: range) { number, page in
      if isInPlace(number, page), page.file?.number == file, !page.isSealed { gone.append(number) }
      return true
    }
    for number in gone { model.set(pid, number, nil) }
    forgetWritten(pid, range)
    compare(process, range)
  }

  /// mincore touched the pages that its answer goes to, as stores do. The memory manager stores no answer there.
  private func noteAnswer(_ process: Proc, _ range: Range<UInt64>, _ vector: UInt64, isDone: Bool) {
    let answer = vector >> 12..<(vector + UInt64(range.count) + 4095) >> 12
    for number in answer {
      guard let page = model.page(process.pid, number) else { return }
      guard model.verdict(process.pid, number, isStore: true) == .allowed else { return }
      if !page.isShared, page.own == nil, isDone {
        let contents = model.contents(of: page)
        model.update(process.pid, number..<number + 1) { $0.own = contents }
      }
    }
    if !isDone { adoptCopies(process, answer) }
  }

  // MARK: Locks

  /// MCL_* bits for new mappings: 0, 2 or 6.
  func futureLock(_ pid: UInt32) -> UInt64 { possessions[pid]?.futureLock ?? 0 }

  /// Locks (1), locks on fault (4) or unlocks (0) pages up to the first hole; without a hole locked ones are brought in.
  func lock(_ process: Proc, _ range: Range<UInt64>, _ kind: UInt64, ranShort: Bool) {
    let end = firstPage(process.pid, in: range) { $0 == nil }
    model.update(process.pid, range.lowerBound..<end) {
      $0.isLocked = kind != 0
      $0.isLockedOnFault = kind == 4
    }
    if kind == 1, end == range.upperBound { populate(process, range, ranShort) }
  }

  private func lockEverything(_ process: Proc, _ flags: UInt64, _ ranShort: Bool) {
    possessions[process.pid]?.futureLock = flags & 2 != 0 ? flags & 6 : 0
    guard flags & 1 != 0 else { return }
    model.update(process.pid, 0..<1 << 52) {
      $0.isLocked = true
      $0.isLockedOnFault = flags & 4 != 0
    }
    guard flags & 4 == 0 else { return }
    // Each area is brought in up to the first page of it that cannot be.
    for area in process.space.layout.areas.areas {
      let first = area.range.start.pageNumber
      populate(process, first..<first + area.range.pages, ranShort)
    }
  }

  /// Pages were brought in: all that can be, or as many as memory was there for.
  func populate(_ process: Proc, _ range: Range<UInt64>, _ ranShort: Bool) {
    if ranShort { adoptCopies(process, range) } else { model.populate(process.pid, range) }
  }

  /// After a call that memory ran out for: pages of files that it copied, or not, hold the same for now, but only those
  /// that were not copied see what is stored into the file later.
  func adoptCopies(_ process: Proc, _ range: Range<UInt64>) {
    var copied: [UInt64] = []
    model.processes[process.pid]?.forEach(in: range) { number, page in
      if page.own == nil, !page.isShared, page.file != nil {
        let entry = machine.kernel.pageMap(process.space, self.page(number))[0]
        if entry.isSwapped && !entry.isGuard || entry.isPresent && !entry.isFilePage { copied.append(number) }
      }
      return true
    }
    for number in copied {
      let contents = model.contents(process.pid, number)
      model.update(process.pid, number..<number + 1) { $0.own = contents }
    }
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Events
internal import MMU
internal import SimMemory
internal import VMM

extension Replay {
  /// A system call of the trace: memory calls are performed and compared, file calls are followed.
  mutating func systemCall(_ record: SystemCallRecord) throws(ReplayStop) {
    guard let process = current.process else { throw .noProcess }
    tally.systemCalls += 1
    current.isExecuting = (record.number == 59 || record.number == 322) && record.answer == .unknown
    if let number = SystemCallNumber(rawValue: record.number), isMemoryCall(number, record) {
      try perform(number, record, process)
    } else if case .success(let result) = record.answer {
      try follow(record, process, result: result)
    }
    machine.deliverInvalidations()
    noteTables()
    if fetches &+ loads &+ stores >= nextCollapse { collapseInBackground() }
    runCheck()
  }

  /// `fcntl` is a memory call only where it is about seals, and structures in user memory are not in the trace.
  private func isMemoryCall(_ number: SystemCallNumber, _ record: SystemCallRecord) -> Bool {
    guard number == .fcntl else { return !number.isForPrograms }
    return record.argument(1) == 1033 || record.argument(1) == 1034
  }

  private mutating func follow(
    _ record: SystemCallRecord, _ process: Process<Service.Database>, result: UInt64
  ) throws(ReplayStop) {
    // rt_sigaction(signal, action, …)
    if record.number == 13, record.argument(0) == 11 || record.argument(0) == 7, record.argument(1) != 0 {
      current.handlesFaults = true
    }
    try touchBuffer(record, process, result: result)
    guard let number = FileCall.Number(rawValue: record.number) else { return }
    machine.kernel.follow(
      process, FileCall(number, record.arguments, strings: record.strings, result: result))
  }

  /// The kernel copies into or out of the program's buffer: its pages fault as if the program had touched them.
  private mutating func touchBuffer(
    _ record: SystemCallRecord, _ process: Process<Service.Database>, result: UInt64
  ) throws(ReplayStop) {
    let kind: AccessKind
    switch record.number {
    case 0, 17: kind = .store
    case 1, 18: kind = .load
    default: return
    }
    guard result > 0, result <= record.argument(2), record.argument(1) != 0 else { return }
    let buffer = VirtualRange(VirtualAddress(record.argument(1)), bytes: result)
    guard buffer.end > buffer.start, buffer.end <= machine.kernel.userEnd else { return }
    prove(buffer)
    let shortagesBefore = machine.kernel.timesOutOfMemory
    do { try machine.calls.copyUser(process, buffer, kind) } catch {
      if machine.kernel.timesOutOfMemory > shortagesBefore { throw .outOfMemory }
      tally.diverge(
        "buffer \(buffer) of system call \(record.number): Linux could use it, here it is refused")
    }
  }

  private mutating func perform(
    _ number: SystemCallNumber, _ record: SystemCallRecord, _ process: Process<Service.Database>
  ) throws(ReplayStop) {
    tally.memoryCalls += 1
    if record.origin == .tracer, record.answer == .failure(Errno.enosys.rawValue) {
      // A call that valgrind does not know never reached a kernel.
      tally.valgrindAnswers += 1
      return
    }
    try stopBorrowing(process)
    guard let request = try request(number, record, process) else { return }
    if let placement = request.circumstances.placement, placement >= UserSpace.end {
      // Only a kernel with more address bits gives these.
      machine.kernel.limitUserSpace(to: machine.kernel.service.userEnd)
    }
    let verdictsBefore = machine.kernel.verdictsUsed
    let shortagesBefore = machine.kernel.timesOutOfMemory
    var answer = answer(process, request)
    if answer == .failure(Errno.eexist.rawValue), record.origin == .tracer, request.circumstances.isAccepted {
      // Valgrind does not know MAP_FIXED_NOREPLACE and put the mapping there.
      tally.valgrindAnswers += 1
      var forced = request
      forced.arguments[3] = forced.arguments[3] & ~MapFlags.fixedNoReplace.rawValue | MapFlags.fixed.rawValue
      answer = self.answer(process, forced)
    }
    if machine.kernel.verdictsUsed > verdictsBefore {
      if record.origin == .tracer { tally.valgrindAnswers += 1 } else { tally.resourceRefusals += 1 }
    }
    if answer != record.answer, isSuccess(record), machine.kernel.timesOutOfMemory > shortagesBefore {
      throw .outOfMemory
    }
    compare(number, record, answer)
    remember(number, record, answer)
  }

  private func answer(
    _ process: Process<Service.Database>, _ request: SystemCallRequest
  ) -> SystemCallRecord.Answer {
    do { return .success(try machine.calls.systemCall(process, request)) } catch {
      return .failure(error.rawValue)
    }
  }

  private func isSuccess(_ record: SystemCallRecord) -> Bool {
    if case .success = record.answer { true } else { false }
  }

  private mutating func compare(
    _ number: SystemCallNumber, _ record: SystemCallRecord, _ answer: SystemCallRecord.Answer
  ) {
    guard record.answer != .unknown, answer != record.answer else { return }
    if record.origin == .tracer, case .failure = record.answer, case .failure = answer {
      tally.valgrindAnswers += 1
      return
    }
    let arguments = record.arguments.map { "0x" + String($0, radix: 16) }.joined(separator: ", ")
    tally.diverge(
      "\(number)(\(arguments)) in process \(current.process?.pid ?? 0): Linux answered "
        + "\(describe(record.answer)), here \(describe(answer))")
  }

  private func describe(_ answer: SystemCallRecord.Answer) -> String {
    switch answer {
    case .success(let value): "0x" + String(value, radix: 16)
    case .failure(let code): Errno(rawValue: code)?.name ?? "errno \(code)"
    case .unknown: "nothing"
    }
  }

  /// What the trace unmapped is not the loader's any more; what it mapped may fault as it likes.
  private mutating func remember(
    _ number: SystemCallNumber, _ record: SystemCallRecord, _ answer: SystemCallRecord.Answer
  ) {
    guard case .success = answer else { return }
    let (start, length) = (VirtualAddress(record.argument(0)), record.argument(1))
    let bytes = (length &+ PageSize.base.mask) & ~PageSize.base.mask
    switch number {
    case .munmap: current.unmapped.insert(VirtualRange(start, bytes: bytes))
    case .mremap:
      if record.argument(3) & 4 == 0 { current.unmapped.insert(VirtualRange(start, bytes: bytes)) }
    default: break
    }
  }
}

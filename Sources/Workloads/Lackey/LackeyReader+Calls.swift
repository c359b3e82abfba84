// SPDX-License-Identifier: MIT
import Events

/// SYSCALL lines and answers.
extension LackeyReader {
  /// `SYSCALL[pid,thread](number) …`, with the cursor on `S`.
  func call(_ scan: inout LineScanner, isCut: Bool) throws(TraceError) {
    let text = scan.excerpt(from: scan.position)
    func bad() -> TraceError { here(isCut ? .truncatedLine : .badCall(text)) }
    guard
      scan.skip("SYSCALL["), let pid = scan.decimal(), scan.skip(","), let thread32 = scan.decimal(),
      scan.skip("]("), let number64 = scan.decimal(), scan.skip(")"), let pid = UInt32(exactly: pid),
      let thread = UInt32(exactly: thread32), let number = UInt32(exactly: number64), number < 1 << 16
    else { throw bad() }
    if process == 0 { process = pid }
    guard pid == process else { throw here(.otherProcess(pid, expected: process)) }
    scan.skipSpaces()
    if scan.skip("... [async] -->") {
      guard var call = state.blocked.removeValue(forKey: thread), call.record.number == number else {
        throw here(.answerWithoutCall)
      }
      guard let answer = plainAnswer(&scan) else { throw bad() }
      call.record.answer = answer
      deliver(call)
      return try useRest(&scan, isCut: isCut)
    }
    abandonOpenCall()
    abandonBlockedCall(of: thread)
    var record = SystemCallRecord(number: number, arguments: [], answer: .unknown)
    guard SystemCallArguments.parse(&scan, into: &record) else { throw bad() }
    state.openCall = OpenCall(thread: thread, record: record)
    try afterArguments(&scan, isCut: isCut)
  }

  /// What follows the arguments: an answer, a note that interrupts the line, or remarks of valgrind's
  /// wrapper.
  private func afterArguments(_ scan: inout LineScanner, isCut: Bool) throws(TraceError) {
    while !scan.isAtEnd {
      scan.skipSpaces()
      if scan.has("-->") || scan.has("[sync] -->") { return try answer(&scan, isCut: isCut) }
      if try note(&scan, isCut: isCut) { return }
      if !scan.isAtEnd { scan.position += 1 }
    }
  }

  /// `[sync] --> …` or `--> …` for the call whose line is open.
  func answer(_ scan: inout LineScanner, isCut: Bool) throws(TraceError) {
    let text = scan.excerpt(from: scan.position)
    func bad() -> TraceError { here(isCut ? .truncatedLine : .badCall(text)) }
    _ = scan.skip("[sync] ")
    guard scan.skip("-->") else { throw bad() }
    scan.skipSpaces()
    guard var call = state.openCall else {
      // The answer of the parent's fork, printed once more in the child.
      guard state.opening == nil, scan.skip("[pre-success]"), let answer = plainAnswer(&scan),
        answer == .success(0)
      else { throw here(isCut ? .truncatedLine : .answerWithoutCall) }
      state.opening = .afterFork
      return try useRest(&scan, isCut: isCut)
    }
    if scan.skip("[async]") {
      scan.skipSpaces()
      guard scan.skip("...") else { throw bad() }
      state.openCall = nil
      state.blocked[call.thread] = call
      return try useRest(&scan, isCut: isCut)
    }
    if scan.skip("[pre-success]") || scan.skip("[pre-fail]") { call.record.origin = .tracer }
    guard let answer = plainAnswer(&scan) else { throw bad() }
    call.record.answer = answer
    state.openCall = nil
    deliver(call)
    try useRest(&scan, isCut: isCut)
  }

  /// A record or note may follow on the same line.
  private func useRest(_ scan: inout LineScanner, isCut: Bool) throws(TraceError) {
    scan.skipSpaces()
    if !scan.isAtEnd { try use(&scan, isCut: isCut) }
  }

  /// `Success(0x…)`, `Failure(0x…)` or `NoWriteResult`.
  private func plainAnswer(_ scan: inout LineScanner) -> SystemCallRecord.Answer? {
    scan.skipSpaces()
    if scan.skip("NoWriteResult") { return .unknown }
    if scan.skip("Success(0x"), let value = scan.hexadecimal(), scan.skip(")") { return .success(value) }
    if scan.skip("Failure(0x"), let value = scan.hexadecimal(), scan.skip(")"), value < 4096 {
      return .failure(UInt32(value))
    }
    return nil
  }

  func deliver(_ call: OpenCall) {
    if call.record.number == 231 || call.record.number == 60 { state.sawEnd = true }
    pending.append(.call(call.record, thread: call.thread))
  }

  /// A call that never got an answer: it does not return, or a signal cut it short and it is made again.
  func abandonOpenCall() {
    guard let call = state.openCall else { return }
    state.openCall = nil
    deliver(call)
  }

  func abandonBlockedCall(of thread: UInt32) {
    guard let call = state.blocked.removeValue(forKey: thread) else { return }
    deliver(call)
  }
}

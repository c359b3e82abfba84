// SPDX-License-Identifier: MIT
import Events
import SimMemory

/// Notes of valgrind: `==pid== …`, `--pid-- …` and `**pid** …`.
extension LackeyReader {
  /// Uses a note if the cursor stands on one; a note runs to the end of its line.
  func note(_ scan: inout LineScanner, isCut: Bool) throws(TraceError) -> Bool {
    let start = scan.position
    guard scan.has("--") && !scan.has("-->") || scan.has("==") || scan.has("**") else { return false }
    let isTrace = scan.has("--")
    scan.position += 2
    guard let number = scan.decimal(), UInt32(exactly: number) != nil,
      isTrace ? scan.skip("--") : scan.skip("==") || scan.skip("**")
    else {
      scan.position = start
      guard !isCut else { throw here(.truncatedLine) }
      return false
    }
    scan.skipSpaces()
    if isTrace { traceNote(&scan) } else { plainNote(&scan) }
    scan.position = scan.bytes.count
    return true
  }

  /// A note that valgrind prints for the user.
  private func plainNote(_ scan: inout LineScanner) {
    if scan.isAtEnd { return }
    reportFault()
    if scan.has("Lackey, an example Valgrind tool") {
      if state.opening != nil {
        abandonOpenCall()
        pending.append(.exec)
      }
      state.sawBanner = true
    } else if scan.skip("Parent PID: ") {
      state.parent = scan.decimal().flatMap { UInt32(exactly: $0) }
    } else if scan.skip("Process terminating with default action of signal ") {
      state.sawEnd = true
      state.fatalSignal = scan.decimal()
    } else if !state.sawSignalNotes {
      fatalRefusal(&scan)
    }
  }

  /// Without `--trace-signals=yes`, a refusal that ends the process is known from valgrind's obituary alone.
  private func fatalRefusal(_ scan: inout LineScanner) {
    let causes: [(signal: UInt64, code: UInt64, text: StaticString)] = [
      (11, 1, "Access not within mapped region at address 0x"),
      (11, 2, "Bad permissions for mapped region at address 0x"),
      (7, 2, "Non-existent physical address at address 0x"),
    ]
    for cause in causes where state.fatalSignal == cause.signal && scan.skip(cause.text) {
      let address = scan.hexadecimal().map { VirtualAddress($0) }
      refuse(cause.signal == 11 ? .segmentationFault : .busError, code: cause.code, address: address)
    }
  }

  /// A note that `--trace-signals=yes` asked for.
  private func traceNote(_ scan: inout LineScanner) {
    if scan.has("sync signal handler: ") || scan.has("delivering signal ") { state.sawSignalNotes = true }
    if scan.skip("-> extended stack base to 0x") {
      guard let base = scan.hexadecimal().map({ VirtualAddress($0) }) else { return }
      pending.append(.stackGrown(faultAddress: state.fault?.address ?? base, base: base))
      state.fault = nil
    } else if scan.skip("delivering signal ") {
      delivery(&scan)
    } else {
      reportFault()
      signalNote(&scan)
    }
  }

  private func signalNote(_ scan: inout LineScanner) {
    if scan.skip("SIGSEGV: si_code=") {
      guard let code = scan.decimal(), scan.skip(past: "faultaddr=0x"), let address = scan.hexadecimal()
      else { return }
      state.fault = (UInt32(truncatingIfNeeded: code), VirtualAddress(address))
    } else if scan.skip("translations not allowed here (0x") {
      guard let address = scan.hexadecimal() else { return }
      state.fault = (nil, VirtualAddress(address))
    } else if scan.skip("sync signal handler: signal=7, si_code=") {
      guard let code = scan.decimal(), scan.skip(past: "from kernel") else { return }
      refuse(.busError, code: code, address: nil)
    } else if scan.skip("async signal handler: signal=") {
      guard let signal = scan.decimal(), scan.skip(past: "si_code=") else { return }
      announced(UInt32(truncatingIfNeeded: signal), isSent: isSent(scan))
    } else if scan.skip("interrupted_syscall: tid=") {
      guard let thread = scan.decimal(), scan.skip(past: "sres.isErr=") else { return }
      let isError = scan.has("True")
      guard scan.skip(past: "sres.val="), let value = scan.decimal() else { return }
      let answer =
        isError ? .failure(UInt32(truncatingIfNeeded: value)) : SystemCallRecord.Answer.success(value)
      state.interrupted = (UInt32(truncatingIfNeeded: thread), answer)
    } else if scan.has("completed, but uncommitted: committing"), let interrupted = state.interrupted,
      var call = state.blocked.removeValue(forKey: interrupted.thread)
    {
      call.record.answer = interrupted.answer
      deliver(call)
    }
  }

  /// A signal interrupts a call. If that call sent it, the call's answer comes first, and the delivery tells.
  private func announced(_ signal: UInt32, isSent: Bool) {
    let calls = state.blocked.values.map(\.record.number) + [state.openCall?.record.number].compactMap { $0 }
    if isSent && calls.contains(where: { [62, 200, 234].contains($0) }) { return }
    state.announced.insert(signal)
    pending.append(.signal(signal, sent: isSent))
  }

  /// `delivering signal 10 (SIGUSR1):-6 to thread 1`, with the cursor on the number.
  private func delivery(_ scan: inout LineScanner) {
    guard let signal = scan.decimal(), scan.skip(past: "):") else { return reportFault() }
    let isSent = isSent(scan)
    switch signal {
    case 11: delivered(.segmentationFault, code: scan.decimal())
    case 7: delivered(.busError, code: scan.decimal())
    default: reportFault()
    }
    let number = UInt32(truncatingIfNeeded: signal)
    if state.announced.remove(number) == nil && isSent { pending.append(.signal(number, sent: true)) }
  }

  /// Whether the cursor stands on an `si_code` that kill, sigqueue or tgkill leaves.
  private func isSent(_ scan: LineScanner) -> Bool {
    ["0", "-1", "-6"].contains { (code: StaticString) in
      scan.has(code) && scan.digit(at: scan.position + code.utf8CodeUnitCount) == nil
    }
  }

  /// A fault signal reaches its handler: the last chance to learn of a refusal that had no line of its own.
  private func delivered(_ signal: Refusal.Signal, code: UInt64?) {
    if state.fault != nil && signal == .segmentationFault {
      if state.fault?.code == nil { state.fault?.code = UInt32(truncatingIfNeeded: code ?? 0) }
      reportFault()
    } else if !state.isRefusalFresh, let code, code > 0 {
      refuse(signal, code: code, address: nil)
    }
    state.isRefusalFresh = false
  }

  /// Reports a fault that was held back to see whether the stack grows.
  func reportFault() {
    guard let fault = state.fault else { return }
    state.fault = nil
    refuse(.segmentationFault, code: UInt64(fault.code ?? 2), address: fault.address)
  }

  private func refuse(_ signal: Refusal.Signal, code: UInt64, address: VirtualAddress?) {
    state.isRefusalFresh = true
    pending.append(
      .refused(Refusal(signal: signal, code: UInt32(truncatingIfNeeded: code), address: address)))
  }
}

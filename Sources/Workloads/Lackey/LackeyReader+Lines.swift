// SPDX-License-Identifier: MIT
import Events
import SimMemory

/// The slow path: one whole line at a time.
extension LackeyReader {
  /// Reads up to the first record.
  public func opening() throws(TraceError) -> ProcessOpening {
    while true {
      if let opening = state.opening { return opening }
      try slowLine()
    }
  }

  /// The same for a file that is still being written; nil: not known yet.
  func openingSoFar() throws(TraceError) -> ProcessOpening? {
    while state.opening == nil {
      try slowLine()
      guard pending.last == .starved else { continue }
      pending.removeLast()
      settle()
      return nil
    }
    return state.opening
  }

  /// Takes the oldest pending item.
  @usableFromInline func takePending() -> ProcessItem {
    let item = pending.removeFirst()
    hasPending = !pending.isEmpty
    return item
  }

  /// Uses the next line, or reads more of the file when it is not complete.
  @usableFromInline func slowLine() throws(TraceError) {
    guard let stop = input.lineFeed(from: input.position) else {
      guard input.end - input.position <= Self.longestLine else {
        throw here(.lineTooLong(limit: Self.longestLine))
      }
      if try input.refill() { return }
      guard input.isGrowing else { return try finish() }
      pending.append(.starved)
      return settle()
    }
    guard stop - input.position <= Self.longestLine else { throw here(.lineTooLong(limit: Self.longestLine)) }
    var scan = LineScanner(input.bytes(input.position..<stop))
    try use(&scan, isCut: false)
    input.position = stop + 1
    line += 1
    settle()
  }

  /// Recomputes what the fast path looks at.
  private func settle() {
    hasPending = !pending.isEmpty
    staysSlow = state.opening == nil || state.fault != nil
  }

  /// Uses what follows the last line feed, then closes what is still open.
  private func finish() throws(TraceError) {
    if state.isFinished {
      pending.append(.end(isComplete: true))
      return settle()
    }
    if input.position < input.end {
      var scan = LineScanner(input.bytes(input.position..<input.end))
      try use(&scan, isCut: true)
      input.position = input.end
      line += 1
    }
    if state.opening == nil {
      guard records > 0 else { throw whole(.empty) }
      state.opening = state.sawBanner ? .freshImage : .unknown
    }
    reportFault()
    let leavesTracedWorld = [59, 322].contains(state.openCall?.record.number)
    abandonOpenCall()
    for thread in state.blocked.keys.sorted() { abandonBlockedCall(of: thread) }
    pending.append(.end(isComplete: state.sawEnd || leavesTracedWorld))
    state.isFinished = true
    settle()
  }

  /// One line or the rest of one. `isCut`: the file ends behind it, without a line feed.
  func use(_ scan: inout LineScanner, isCut: Bool) throws(TraceError) {
    let start = scan.position
    if state.tracerFailed || isRemarkOfTracer(scan) { return }
    scan.skipSpaces()
    if scan.isAtEnd && !isCut { return }
    if try note(&scan, isCut: isCut) { return }
    reportFault()
    if scan.has("-->") || scan.has("[sync] -->") { return try answer(&scan, isCut: isCut) }
    if scan.has("SYSCALL[") {
      noteFirstRecord()
      return try call(&scan, isCut: isCut)
    }
    scan.position = start
    guard !isCut else { throw here(.truncatedLine) }
    try record(&scan)
  }

  /// Lines that valgrind prints without its usual prefix: about instructions that it cannot decode, and, as its last
  /// words, about a failure of its own.
  private func isRemarkOfTracer(_ scan: LineScanner) -> Bool {
    guard scan.has("valgrind: ") else { return scan.has("vex ") }
    state.tracerFailed = true
    state.sawEnd = true
    return true
  }

  /// Decides how the file begins, at its first record.
  func noteFirstRecord() {
    records += 1
    if state.opening == nil { state.opening = state.sawBanner ? .freshImage : .unknown }
  }

  /// A memory record that the fast path did not take: because of its place, or because something is wrong
  /// with it.
  private func record(_ scan: inout LineScanner) throws(TraceError) {
    let text = scan.excerpt(from: scan.position)
    scan.skipSpaces()
    let kinds: [AccessKind]
    if scan.skip("I ") {
      kinds = [.fetch]
    } else if scan.skip("L ") {
      kinds = [.load]
    } else if scan.skip("S ") {
      kinds = [.store]
    } else if scan.skip("M ") {
      kinds = [.load, .store]
    } else {
      throw here(.unknownLine(text))
    }
    scan.skipSpaces()
    guard let address = scan.hexadecimal(), scan.has(",") else { throw here(.badAddress(text)) }
    scan.position += 1
    guard let size = scan.decimal(), (1...4096).contains(size), scan.isAtEnd else {
      throw here(.badSize(text))
    }
    guard !address.addingReportingOverflow(size - 1).overflow else { throw here(.wraps(text)) }
    noteFirstRecord()
    for kind in kinds { pending.append(.access(kind, VirtualAddress(address), size: UInt32(size))) }
  }
}

// SPDX-License-Identifier: MIT
import Events
import SimMemory

/// Reads the lackey trace of one process, line by line, from a file, a FIFO or standard input.
///
/// Accesses go straight from the buffer to the sink. Everything else (one line in a hundred) takes the slow
/// path in `LackeyReader+Lines.swift`, which turns lines into `ProcessItem`s. `Docs/TraceFormat.md` says
/// which lines are accepted.
public final class LackeyReader: ProcessSource {
  /// The longest line that is accepted, in bytes.
  static let longestLine = 65_536
  @usableFromInline let input: InputFile
  /// Lines finished so far.
  @usableFromInline var line: UInt64 = 0
  /// The next line must take the slow path: something before it is not settled.
  @usableFromInline var staysSlow = true
  /// Accesses seen so far.
  @usableFromInline var records: UInt64 = 0
  /// Whether `pending` holds something.
  @usableFromInline var hasPending = false
  /// Items found but not handed out, oldest first.
  @usableFromInline var pending: [ProcessItem] = []

  /// For a recorder: the opening has been written.
  var isOpeningKept = false
  /// State of the slow path; see `LackeyReader+Lines.swift`.
  var state = LineState()
  /// The process's number, 0 until known.
  public internal(set) var process: UInt32

  /// What the slow path remembers between lines.
  struct LineState {
    /// The call whose line is not finished: its answer stands on a later line.
    var openCall: OpenCall?
    /// Calls that were handed to the kernel, by thread.
    var blocked: [UInt32: OpenCall] = [:]
    /// A SIGSEGV of the process, held until the next line says whether the stack grew. `code` nil: not
    /// known yet.
    var fault: (code: UInt32?, address: VirtualAddress)?
    /// What an interrupted call had returned.
    var interrupted: (thread: UInt32, answer: SystemCallRecord.Answer)?
    /// A refusal was reported and its delivery has not been noted yet.
    var isRefusalFresh = false
    /// The signal that ends the process, as valgrind's obituary says.
    var fatalSignal: UInt64?
    var sawSignalNotes = false
    /// Signals reported as they interrupted a call, and not delivered yet.
    var announced: Set<UInt32> = []
    var sawBanner = false
    var parent: UInt32?
    var sawEnd = false
    /// Valgrind itself failed: what follows is its own report.
    var tracerFailed = false
    var isFinished = false
    var opening: ProcessOpening?
  }

  /// A system call without its answer.
  struct OpenCall {
    var thread: UInt32
    var record: SystemCallRecord
  }

  /// Opens `path` (`-`: standard input). `process` is the number that the file's name carries, 0 when it
  /// has none.
  public convenience init(path: String, process: UInt32 = 0) throws(TraceError) {
    try self.init(InputFile(path: path), process: process)
  }

  init(_ input: InputFile, process: UInt32) throws(TraceError) {
    self.input = input
    self.process = process
    try checkMagic()
    if let found = processNumber() { self.process = found }
  }

  /// Follows a log that is still being written.
  init(growing input: InputFile, process: UInt32) {
    self.input = input
    self.process = process
  }

  /// The process that started this one, once the banner has been read.
  var parent: UInt32? { state.parent }

  /// Called after each read with the number of new bytes.
  public func onRead(_ body: @escaping @Sendable (Int) -> Void) { input.onRead = body }

  /// The file and the line read last.
  public func place() -> (file: String, place: TraceError.Place) { (input.name, .line(line)) }

  /// Refuses what is clearly something else, with better advice than "unknown line".
  private func checkMagic() throws(TraceError) {
    _ = try input.refill()
    while input.end < 6, try input.refill() {}
    let head = input.bytes(0..<min(6, input.end))
    if head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A]) { throw whole(.compressed(tool: "xz -dc")) }
    if head.starts(with: [0x1F, 0x8B]) { throw whole(.compressed(tool: "gzip -dc")) }
    if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { throw whole(.compressed(tool: "zstd -dc")) }
    if head.isEmpty { throw whole(.empty) }
  }

  /// The number in the first `==PID==`, `--PID--` or `SYSCALL[PID` among the bytes read so far.
  private func processNumber() -> UInt32? {
    var start = 0
    while start < min(input.end, 1 << 16) {
      let stop = input.lineFeed(from: start) ?? input.end
      var scan = LineScanner(input.bytes(start..<min(stop, start + 32)))
      if scan.skip("SYSCALL[") || scan.skip("==") || scan.skip("--"), let number = scan.decimal() {
        return UInt32(exactly: number)
      }
      start = stop + 1
    }
    return nil
  }

  /// The number in `==PID== Parent PID: N`, if the head of the file holds it.
  func parentProcess() -> UInt32? {
    var scan = LineScanner(input.bytes(0..<min(input.end, 2048)))
    guard scan.skip(past: "== Parent PID: "), let number = scan.decimal() else { return nil }
    return UInt32(exactly: number)
  }

  func whole(_ problem: TraceError.Problem) -> TraceError { TraceError(file: input.name, problem: problem) }
  func here(_ problem: TraceError.Problem) -> TraceError {
    TraceError(file: input.name, place: .line(line + 1), problem: problem)
  }
}

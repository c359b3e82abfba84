// SPDX-License-Identifier: MIT
import Events

/// Runs a program under valgrind and keeps a compact trace of it and of every process that it makes.
///
/// The text that valgrind writes is used while it grows and its disk space is given back, so that no more
/// than a few megabytes of it exist at a time.
public struct Recorder {
  /// Where the trace goes; replaced when the recording is complete, untouched when it fails.
  public var output: String
  /// The program and its arguments.
  public var command: [String]
  /// Options for valgrind beyond the ones that a trace needs.
  public var valgrindOptions: [String] = []
  /// The name or path of valgrind.
  public var valgrind = "valgrind"

  /// What came of a recording.
  public struct Result: Sendable, Equatable {
    /// The program's exit status; 128 and the signal's number if a signal ended it.
    public var status: Int32
    /// What the trace holds.
    public var totals: TraceTotals
    /// Bytes of text that valgrind wrote.
    public var textBytes: UInt64
    /// Bytes of the trace.
    public var traceBytes: UInt64
  }

  /// Prepares a recording of `command` into `output`.
  public init(output: String, command: [String]) {
    self.output = output
    self.command = command
  }

  /// Runs the program to its end. Its standard input and outputs are ours.
  public func run() throws(TraceError) -> Result {
    guard !command.isEmpty else {
      throw TraceError(file: output, problem: .recordingFailed("no program named"))
    }
    let folder = try RecordingFolder(beside: output)
    let program = try TracedProgram(arguments(folder))
    defer { program.end() }
    var session = RecordingSession(folder: folder)
    while true {
      let moved = try session.advance()
      if program.status != nil && session.isFinished { break }
      program.pause(milliseconds: moved > 1 << 20 ? 0 : 1)
    }
    let status = program.status ?? 0
    if let signal = program.stopSignal {
      throw TraceError(file: output, problem: .interrupted(signal: signal))
    }
    guard !session.isEmpty else {
      throw TraceError(
        file: command[0], problem: .recordingFailed("valgrind traced nothing (exit status \(status))"))
    }
    return try session.stitch(into: output, status: status)
  }

  private func arguments(_ folder: RecordingFolder) -> [String] {
    let place = folder.path.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
    let options = [
      "--tool=lackey", "--trace-mem=yes", "--basic-counts=no", "--trace-syscalls=yes", "--trace-signals=yes",
      "--trace-children=yes", "--vgdb=no", "--log-file=\(place)/%p.log",
    ]
    return [valgrind] + options + valgrindOptions + command
  }
}

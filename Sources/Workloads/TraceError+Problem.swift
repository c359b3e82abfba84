// SPDX-License-Identifier: MIT

extension TraceError {
  /// Everything that can be wrong with a trace.
  public enum Problem: Equatable, Sendable {
    /// An operation on the file failed with this errno text.
    case cannot(String, reason: String)
    /// No trace was named, or a folder holds none.
    case noTrace
    /// The trace holds no record at all.
    case empty
    /// Compressed with something that the reader does not undo.
    case compressed(tool: String)
    /// A line that is neither a record, a system call nor a note.
    case unknownLine(String)
    /// A line longer than any that valgrind prints.
    case lineTooLong(limit: Int)
    /// A record whose address is missing, not hexadecimal or wider than 64 bits.
    case badAddress(String)
    /// A record whose size is missing, not decimal or outside 1...4096.
    case badSize(String)
    /// A record that would run past the end of the 64-bit address space.
    case wraps(String)
    /// The file ends inside a line.
    case truncatedLine
    /// A SYSCALL line that cannot be understood.
    case badCall(String)
    /// An answer for which no call is open.
    case answerWithoutCall
    /// A line of another process than the rest of the file.
    case otherProcess(UInt32, expected: UInt32)
    /// Two files, or two forks, of one process.
    case duplicateProcess(UInt32)
    /// A compact trace named together with other files.
    case mixedTraces
    /// A compact trace of a version that this build does not read.
    case unsupportedVersion(UInt32)
    /// A compact trace whose bytes are not what was written.
    case damaged(String)
    /// A compact trace that ends too early.
    case truncatedFile
    /// A tool that recording needs is missing.
    case missingTool(String)
    /// A signal stopped a recording.
    case interrupted(signal: Int32)
    /// Recording failed.
    case recordingFailed(String)
  }
}

extension TraceError.Problem: CustomStringConvertible {
  /// One line: what is wrong; what to do.
  public var description: String {
    switch self {
    case .cannot(let what, let reason): "cannot \(what): \(reason); check the path and its permissions"
    case .noTrace: "no trace found; name an .emtrace file, a NAME.PID.txt file or a folder of them"
    case .empty: "the trace holds no record; record it again with --tool=lackey --trace-mem=yes"
    case .compressed(let tool): "the trace is compressed; decompress it first with \(tool)"
    case .unknownLine(let text):
      "'\(text)' is not a line of a lackey trace; "
        + "record with --tool=lackey --trace-mem=yes --log-file=NAME.%p.txt"
    case .lineTooLong(let limit):
      "a line is longer than \(limit) bytes; this is not a lackey trace, record it again"
    case .badAddress(let text):
      "'\(text)' has no 64-bit hexadecimal address; the trace is damaged, record it again"
    case .badSize(let text): "'\(text)' has no size from 1 to 4096; the trace is damaged, record it again"
    case .wraps(let text):
      "'\(text)' runs past the end of the address space; the trace is damaged, record it again"
    case .truncatedLine: "the trace ends inside a line (truncated trace); copy or record it again"
    case .badCall(let text):
      "'\(text)' is not a system call that valgrind prints; the trace is damaged, record it again"
    case .answerWithoutCall:
      "the answer of a system call that was never made; the trace is damaged or its beginning is missing"
    case .otherProcess(let pid, let expected):
      "a line of process \(pid) in the trace of process \(expected); "
        + "give each its file with --log-file=NAME.%p.txt"
    case .duplicateProcess(let pid): "process \(pid) appears twice; give the files of one run only"
    case .mixedTraces: "an .emtrace file holds all processes of its run; replay it by itself"
    case .unsupportedVersion(let version):
      "format version \(version) is not supported; use a newer emt or record again"
    case .damaged(let what): "damaged: \(what); copy or record the trace again"
    case .truncatedFile: "the trace ends too early (truncated trace); copy or record it again"
    case .missingTool(let tool):
      "\(tool) is not installed or not in PATH; install it (apt-get install \(tool))"
    case .interrupted(let signal): "recording was stopped by signal \(signal); nothing was kept, run it again"
    case .recordingFailed(let what):
      "recording failed: \(what); run the program under valgrind by hand to see why"
    }
  }
}

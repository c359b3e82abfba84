// SPDX-License-Identifier: MIT
public import VMM

/// What a case does on one machine: its log, what went wrong, and its processes.
public final class Scenario {
  /// The machine.
  public let host: any ScenarioHost
  /// Whether huge pages are used wherever they can be.
  public let hugePages: HugePagePolicy
  /// What was wrong, in order.
  public private(set) var failures: [ScenarioFailure] = []
  private var log: [LogEntry] = []
  private var forgotten = 0
  private var nextPid: UInt32 = 1

  init(_ host: any ScenarioHost, hugePages: HugePagePolicy) {
    self.host = host
    self.hugePages = hugePages
  }

  /// What an administrator can do.
  public var administration: any Administration { host.administration }

  func takePid() -> UInt32 {
    defer { nextPid += 1 }
    return nextPid
  }

  /// Starts a process that has nothing to do with the others.
  public func start() throws(Errno) -> Program {
    let pid = takePid()
    try host.start(pid)
    if pid > 1 { note("process \(pid) starts") }
    return Program(self, pid)
  }

  // MARK: The log

  private struct LogEntry {
    var text: String
    /// Accesses that follow each other are one line.
    var kind = ""
    var last: UInt64 = 0
    var count = 1
  }

  /// Adds a line to the log.
  public func note(_ text: String) {
    log.append(LogEntry(text: text))
    trim()
  }

  /// Adds an access; a run of equal ones is one line.
  func note(_ kind: String, _ address: UInt64, _ result: String) {
    if let previous = log.last, previous.kind == kind {
      log[log.count - 1].last = address
      log[log.count - 1].count += 1
      return
    }
    log.append(LogEntry(text: "\(kind) \(address.text)\(result)", kind: kind, last: address))
    trim()
  }

  private func trim() {
    guard log.count >= 256 else { return }
    log.removeFirst(128)
    forgotten += 128
  }

  /// The last lines of the log, numbered.
  public var story: [String] {
    let shown = log.suffix(24)
    let skipped = forgotten + log.count - shown.count
    let head = skipped > 0 ? ["… \(skipped) earlier steps"] : []
    return head
      + shown.enumerated().map { index, entry in
        let more = entry.count > 1 ? ", and \(entry.count - 1) more up to \(entry.last.text)" : ""
        return "\(skipped + index + 1). \(entry.text)\(more)"
      }
  }

  // MARK: Failures

  /// Records that something is not as it should be. The case goes on.
  public func fail(_ expected: String, _ got: String) {
    // One broken promise tends to break what follows: the first ones tell the story.
    guard failures.count < 5 else { return }
    failures.append(ScenarioFailure(expected: expected, got: got, story: story))
  }
}

/// One thing that was not as a case expects.
public struct ScenarioFailure: Sendable, Equatable {
  /// What was expected.
  public let expected: String
  /// What happened.
  public let got: String
  /// What the case had done until then.
  public let story: [String]
}

/// Thrown by a body when going on makes no sense; the failure is recorded already.
public struct ScenarioStop: Error {
  init() {}
}

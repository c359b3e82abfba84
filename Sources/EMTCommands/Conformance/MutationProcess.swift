// SPDX-License-Identifier: MIT
internal import Foundation
internal import Glibc
internal import Mutations

/// One bug in a process of its own.
final class MutationProcess {
  /// What is known of it.
  enum State {
    case running
    /// Everything passed.
    case missed
    /// Something was wrong.
    case caught(String)
  }
  /// The bug; nil for none.
  let mutation: Mutation?
  private let process = Process()
  private let output: URL
  private let start = ContinuousClock.now
  /// How much it has written, and when that was last seen to grow.
  private var outputBytes = 0
  private var lastSign = ContinuousClock.now

  /// Starts the process.
  init(_ mutation: Mutation?, in folder: URL) throws(CommandFailure) {
    self.mutation = mutation
    let name = mutation?.name ?? "none"
    output = folder.appendingPathComponent(name)
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["conformance", "--trial", name]
    // A trap is an answer; its backtrace would take seconds and tell nothing that is asked for here.
    process.environment = ProcessInfo.processInfo.environment.filter {
      $0.key != Mutation.environmentVariable
    }
    .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    _ = FileManager.default.createFile(atPath: output.path, contents: nil)
    process.standardOutput = FileHandle(forWritingAtPath: output.path)
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch { throw .failed("the suite cannot be started: \(error)") }
  }

  /// How long it has run.
  var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Ends the process.
  func end() {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// What is known of the process. It is ended when no check began for `silence` seconds, or after `patience` seconds.
  func state(silence: Double, patience: Double) -> State {
    if process.isRunning {
      let size = try? FileManager.default.attributesOfItem(atPath: output.path)[.size] as? Int
      if let size, size != outputBytes { (outputBytes, lastSign) = (size, .now) }
      guard (.now - lastSign) / .seconds(1) > silence || seconds > patience else { return .running }
      end()
      return .caught("no answer in \(last(MutationTrial.running))")
    }
    if process.terminationReason == .uncaughtSignal {
      return .caught("trap in \(last(MutationTrial.running))")
    }
    switch process.terminationStatus {
    case 0: return .missed
    case 1: return .caught(last(MutationTrial.caught))
    default: return .caught("status \(process.terminationStatus) in \(last(MutationTrial.running))")
    }
  }

  /// What follows `word` in the last line that begins with it.
  private func last(_ word: String) -> String {
    let text = (try? String(contentsOf: output, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").last { $0.hasPrefix(word) }
    return line.map { String($0.dropFirst(word.count)) } ?? "the start"
  }
}

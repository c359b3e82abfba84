// SPDX-License-Identifier: MIT

/// One broken promise.
public struct ContractFailure: Sendable, Equatable, CustomStringConvertible {
  /// The clause of the contract, such as `DB-5`.
  public let clause: String
  /// The check that found it.
  public let check: String
  /// The driver under test.
  public let driver: String
  /// What the contract promises.
  public let expected: String
  /// What happened.
  public let got: String
  /// What a scenario did until then; empty for checks of the contract.
  public var story: [String] = []

  /// Clause, check, expectation and observation, and how to run this check alone.
  public var description: String {
    let head = story.isEmpty ? [] : ["  the scenario so far:"] + story.map { "    \($0)" }
    return
      (["\(clause) \(check) [\(driver)]"] + head + [
        "  expected: \(expected)",
        "  got:      \(got)",
        "  rerun:    ContractSuite.run(subject, only: \"\(check)\")",
      ]).joined(separator: "\n")
  }

  /// The same in one line.
  public var line: String { "\(clause) \(check): expected \(expected), got \(got)" }
}

/// What a run of the suite found.
public struct ContractReport: Sendable, CustomStringConvertible {
  /// The driver under test.
  public let driver: String
  /// The checks that ran, by name.
  public internal(set) var checks: [String] = []
  /// What is wrong; empty for a driver that keeps the contract.
  public internal(set) var failures: [ContractFailure] = []
  /// What did not run, and why.
  public internal(set) var skipped: [(check: String, reason: String)] = []

  /// Whether every promise held.
  public var isPassed: Bool { failures.isEmpty }

  /// The clauses that failed, each once.
  public var failedClauses: Set<String> { Set(failures.map(\.clause)) }

  /// A summary; of failures the first ones in a line each, the basics first, and the very first ones at length.
  public var description: String {
    let head = "\(driver): \(checks.count) checks, \(failures.count) failures, \(skipped.count) skipped"
    guard failures.count > 3 else {
      return ([head] + failures.map(\.description)).joined(separator: "\n")
    }
    let more = failures.count > 10 ? ["  … and \(failures.count - 10) more"] : []
    let first = failures.prefix(10).map { "  \($0.line)" }
    return ([head] + first + more + ["", "the first ones:"] + failures.prefix(2).map(\.description))
      .joined(separator: "\n")
  }
}

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

  /// Clause, check, expectation and observation, and how to run this check alone.
  public var description: String {
    """
    \(clause) \(check) [\(driver)]
      expected: \(expected)
      got:      \(got)
      rerun:    ContractSuite.run(subject, only: "\(check)")
    """
  }
}

/// What a run of the suite found.
public struct ContractReport: Sendable, CustomStringConvertible {
  /// The driver under test.
  public let driver: String
  /// The checks that ran, by name.
  public internal(set) var checks: [String] = []
  /// What is wrong; empty for a driver that keeps the contract.
  public internal(set) var failures: [ContractFailure] = []

  /// Whether every promise held.
  public var isPassed: Bool { failures.isEmpty }

  /// The clauses that failed, each once.
  public var failedClauses: Set<String> { Set(failures.map(\.clause)) }

  /// A summary line and every failure.
  public var description: String {
    let head = "\(driver): \(checks.count) checks, \(failures.count) failures"
    return ([head] + failures.map(\.description)).joined(separator: "\n")
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference

/// How one check of the suite ended.
public struct ContractOutcome: Sendable {
  /// The clause of the contract.
  public let clause: String
  /// The check's name.
  public let check: String
  /// What is wrong; empty when the promise holds.
  public let failures: [ContractFailure]
  /// How long it took.
  public let seconds: Double
}

extension ContractSuite {
  /// Clause, name and statement of every check, in order.
  public static var list: [(clause: String, name: String, statement: String)] {
    checks(for: ModelDatabase<ModelObject>.self).map { ($0.clause, $0.name, $0.statement) }
  }

  /// Runs the checks that `isChosen`, given clause and name, wants, each on a freshly booted machine, and shows each
  /// outcome at once.
  public static func run<Database>(
    _ subject: ContractSubject<Database>, where isChosen: (String, String) -> Bool,
    _ show: (ContractOutcome) -> Void
  ) {
    for check in checks(for: Database.self) where isChosen(check.clause, check.name) {
      let start = ContinuousClock.now
      let failures = run(check, on: subject)
      let time = (ContinuousClock.now - start).components
      show(
        ContractOutcome(
          clause: check.clause, check: check.name, failures: failures,
          seconds: Double(time.seconds) + Double(time.attoseconds) / 1e18))
    }
  }
}

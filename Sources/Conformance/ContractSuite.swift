// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

/// One check of the contract, for drivers of any kind.
public struct ContractCheck<Database: TranslationDatabase>: Sendable {
  /// The clause: a group and the number of the function in `Docs/API.md`.
  public let clause: String
  /// A name that is unique in the suite.
  public let name: String
  /// What the clause promises, in one sentence.
  public let statement: String
  let body: @Sendable (ContractBench<Database>) throws -> Void

  init(
    _ clause: String, _ name: String, _ statement: String,
    _ body: @escaping @Sendable (ContractBench<Database>) throws -> Void
  ) {
    self.clause = clause
    self.name = name
    self.statement = statement
    self.body = body
  }
}

/// The contract as checks that run on any driver:
///
/// ```swift
/// import Conformance
/// let report = ContractSuite.run(ContractSubject("mine", MyDatabase.self))
/// print(report)  // every broken clause with what was expected and what happened
/// ```
public enum ContractSuite {
  /// All checks, in order of clause.
  public static func checks<Database>(for type: Database.Type) -> [ContractCheck<Database>] {
    objectChecks() + findChecks() + updateChecks() + removeChecks() + memoryChecks() + serviceChecks()
      + switchChecks() + iterationChecks() + iterationUnderChangeChecks() + hugePageChecks() + splitChecks()
      + rangeChecks() + rangeChangeChecks() + copyAndMoveChecks() + lockChecks() + swapChecks()
      + flushChecks()
      + inPlaceChecks()
  }

  /// Runs the checks, each on a freshly booted machine.
  /// - Parameter only: a clause (`DB-5`) or the name of one check; nil runs everything.
  public static func run<Database>(
    _ subject: ContractSubject<Database>, only: String? = nil
  ) -> ContractReport {
    var report = ContractReport(driver: subject.name)
    for check in checks(for: Database.self) where only == nil || only == check.clause || only == check.name {
      report.checks.append(check.name)
      report.failures += run(check, on: subject)
    }
    return report
  }

  static func run<Database>(
    _ check: ContractCheck<Database>, on subject: ContractSubject<Database>
  ) -> [ContractFailure] {
    let bench: ContractBench<Database>
    do {
      bench = try ContractBench(subject, clause: check.clause, check: check.name)
    } catch {
      return [
        ContractFailure(
          clause: "SV-9", check: check.name, driver: subject.name, expected: "the service boots",
          got: "\(error)")
      ]
    }
    do { try check.body(bench) } catch {
      if !(error is CheckStopped) { bench.fail("the check to run to its end", "\(error)") }
    }
    bench.tearDown()
    return bench.failures
  }
}

/// Thrown by a bench when going on makes no sense; the failure is recorded already.
struct CheckStopped: Error {}

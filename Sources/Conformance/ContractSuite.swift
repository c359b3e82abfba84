// SPDX-License-Identifier: MIT
public import EMTCore
internal import Scenarios
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

/// The contract as checks that run on any driver, and scenarios of programs on a whole machine:
///
/// ```swift
/// import Conformance
/// let report = ContractSuite.run(ContractSubject("mine", MyDatabase.self, walker: MyWalker.self))
/// print(report)  // what is broken, the basics first, with what was expected and what happened
/// ```
public enum ContractSuite {
  /// All checks, in order of clause.
  public static func checks<Database>(for type: Database.Type) -> [ContractCheck<Database>] {
    objectChecks() + findChecks() + updateChecks() + removeChecks() + memoryChecks() + serviceChecks()
      + switchChecks() + iterationChecks() + iterationUnderChangeChecks() + hugePageChecks() + splitChecks()
      + rangeChecks() + rangeChangeChecks() + copyAndMoveChecks() + lockChecks() + swapChecks()
      + flushChecks()
      + inPlaceChecks() + interruptedChecks() + sideBySideChecks()
  }

  /// What the suite is made of.
  public enum Part: Sendable, CaseIterable {
    /// Checks of the contract: one driver, no memory manager.
    case contract
    /// Scenarios: programs on a whole machine. They need the driver's walker.
    case scenarios
  }

  /// Runs the checks, each on a freshly booted machine: first those of the contract, then the scenarios, without and with
  /// huge pages.
  /// - Parameters:
  ///   - only: a clause (`DB-5`), a group of scenarios (`mmap`) or the name of one check; nil runs everything.
  ///   - parts: what is run.
  public static func run<Database>(
    _ subject: ContractSubject<Database>, only: String? = nil, parts: [Part] = Part.allCases
  ) -> ContractReport {
    var report = ContractReport(driver: subject.name)
    if parts.contains(.contract) { runContract(subject, only, &report) }
    if parts.contains(.scenarios) { runScenarios(subject, only, &report) }
    return report
  }

  private static func runContract<Database>(
    _ subject: ContractSubject<Database>, _ only: String?, _ report: inout ContractReport
  ) {
    for check in checks(for: Database.self) where only == nil || only == check.clause || only == check.name {
      report.checks.append(check.name)
      report.failures += run(check, on: subject)
    }
  }

  private static func runScenarios<Database>(
    _ subject: ContractSubject<Database>, _ only: String?, _ report: inout ContractReport
  ) {
    guard let boot = subject.boot else {
      if only == nil { report.skipped.append(("scenarios", "the subject has no walker")) }
      return
    }
    let runner = ScenarioRunner(options: subject.options, boot)
    runner.run(where: { only == nil || only == $0 || only == $1 }) { outcome in
      let name = "\(outcome.id), huge pages \(outcome.hugePages)"
      if let reason = outcome.skipped { return report.skipped.append((name, reason)) }
      report.checks.append(name)
      report.failures += outcome.failures.map { failure in
        ContractFailure(
          clause: outcome.group, check: outcome.id,
          driver: "\(subject.name), huge pages \(outcome.hugePages)",
          expected: failure.expected, got: failure.got, story: failure.story)
      }
    }
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

// SPDX-License-Identifier: MIT
import Scenarios
import Testing
import VMM

/// Every case on one driver, and a sample on all others.
@Suite struct ScenarioTests {
  private static var cases: [(group: String, scenario: ScenarioCase)] {
    ScenarioCatalog.groups.flatMap { group in group.cases.map { (group.name, $0) } }
  }

  private func expectPassed(_ outcome: ScenarioOutcome, _ note: String) {
    #expect(
      outcome.failures.isEmpty,
      "\(note), huge pages \(outcome.hugePages)\n\(outcome.explanation.joined(separator: "\n"))")
  }

  @Test(arguments: ScenarioCatalog.groups.map(\.name)) func everyCasePassesOnRadix(group name: String) throws
  {
    let runner = ScenarioRunner(ScenarioDriver.radix.boot(hidden: false))
    let group = try #require(ScenarioCatalog.groups.first { $0.name == name })
    for scenario in group.cases { expectPassed(runner.run(scenario, in: name, .never), "radix") }
  }

  @Test(arguments: ScenarioDriver.allCases, [false, true])
  func aSamplePassesOnEveryDriver(_ driver: ScenarioDriver, hidden: Bool) {
    let seed = UInt64(driver.hashValueOfName) &+ (hidden ? 1 : 0)
    var state = seed
    let runner = ScenarioRunner(driver.boot(hidden: hidden))
    for _ in 0..<6 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let (group, scenario) = Self.cases[Int((state >> 33) % UInt64(Self.cases.count))]
      let policy: HugePagePolicy = state >> 63 == 0 ? .never : .always
      let note = "\(driver), \(hidden ? "basic functions only, " : "")seed \(seed)"
      expectPassed(runner.run(scenario, in: group, policy), note)
    }
  }
}

extension ScenarioDriver {
  /// The same in every run, unlike Swift's hashes.
  fileprivate var hashValueOfName: Int { rawValue.utf8.reduce(0) { $0 &* 31 &+ Int($1) } }
}

// SPDX-License-Identifier: MIT
public import EMTCore
internal import Machine
internal import SimMemory
public import VMM

/// Runs cases: each on a machine of its own, which is looked over and taken down afterwards.
public struct ScenarioRunner: Sendable {
  /// Boots machines.
  public let boot: ScenarioBoot
  /// The driver's options.
  public let options: DriverOptions
  /// The settings of transparent huge pages that every case runs with.
  public var policies: [HugePagePolicy] = [.never, .always]

  /// A runner on machines that `boot` makes.
  public init(options: DriverOptions = DriverOptions(), _ boot: @escaping ScenarioBoot) {
    self.boot = boot
    self.options = options
  }

  /// Runs the cases that `isChosen`, given group and name, wants, and shows each outcome at once.
  public func run(
    _ groups: [ScenarioGroup] = ScenarioCatalog.groups,
    where isChosen: (String, String) -> Bool = { _, _ in true },
    _ show: (ScenarioOutcome) -> Void
  ) {
    for policy in policies {
      for group in groups {
        for scenario in group.cases where isChosen(group.name, scenario.id) {
          show(run(scenario, in: group.name, policy))
        }
      }
    }
  }

  /// Runs one case.
  public func run(_ scenario: ScenarioCase, in group: String, _ policy: HugePagePolicy) -> ScenarioOutcome {
    var outcome = ScenarioOutcome(
      group: group, id: scenario.id, promise: scenario.promise, hugePages: policy)
    if let only = scenario.needs.hugePages, only != policy {
      outcome.skipped = "it is about transparent huge pages '\(only)'"
      return outcome
    }
    let start = ContinuousClock.now
    run(scenario, &outcome)
    let time = (ContinuousClock.now - start).components
    outcome.seconds = Double(time.seconds) + Double(time.attoseconds) / 1e18
    return outcome
  }

  private func run(_ scenario: ScenarioCase, _ outcome: inout ScenarioOutcome) {
    let host: any ScenarioHost
    do throws(MachineError) { host = try boot(configuration(scenario.needs, outcome.hugePages)) } catch {
      outcome.failures = [ScenarioFailure(expected: "the machine boots", got: error.message, story: [])]
      return
    }
    guard host.pageSizes.contains(scenario.needs.pageSize) else {
      outcome.skipped = "the driver has no pages of \(scenario.needs.pageSize)"
      _ = host.shutDown()
      return
    }
    perform(scenario, Scenario(host, hugePages: outcome.hugePages), &outcome)
  }

  private func perform(_ scenario: ScenarioCase, _ state: Scenario, _ outcome: inout ScenarioOutcome) {
    do {
      if scenario.needs.hugePool > 0 {
        let pages = try state.host.administration.setHugePages(.twoMiB, scenario.needs.hugePool)
        if pages < scenario.needs.hugePool {
          state.fail("a pool of \(scenario.needs.hugePool) huge pages", "\(pages)")
        }
      }
      try scenario.body(try state.start())
    } catch let error as Errno {
      state.fail("the last call succeeds", error.name)
    } catch {
      if !(error is ScenarioStop) { state.fail("the case runs to its end", "\(error)") }
    }
    state.host.injectFailure(after: nil, staysBroken: false)
    for finding in state.host.findings() { state.fail("everything agrees at the end", finding) }
    state.note("everything ends")
    for finding in state.host.shutDown() { state.fail("everything is given back", finding) }
    outcome.failures = state.failures
  }

  private func configuration(_ needs: Needs, _ policy: HugePagePolicy) -> MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.memory = MemoryGeometry(bytes: needs.memory, nodes: needs.nodes)
    configuration.swapPages = needs.swapPages
    configuration.cpus = needs.cpus
    configuration.options = options
    configuration.hugePages = HugePageSettings(policy: policy)
    return configuration
  }
}

// SPDX-License-Identifier: MIT
internal import Catalog
internal import Conformance
internal import EMTCore
internal import Mutations
internal import Scenarios

/// `emt conformance --trial`: the suite with one planted bug in this process, until something is wrong.
///
/// Every check says its name before it runs, so that whoever started the process knows what was running when it was ended by
/// a trap, or had to be ended.
struct MutationTrial {
  /// The word in front of a check that begins.
  static let running = "running "
  /// The word in front of what was wrong.
  static let caught = "caught by "

  private let drivers: [Driver]
  /// The first check that failed.
  private var finding: String?

  /// Tries the bug with a name, or none.
  /// - Returns: 1 when something was wrong.
  static func run(_ name: String, drivers: [Driver]) throws(CommandFailure) -> Int32 {
    try check()
    let mutation = Mutation(named: name)
    guard name == "none" || mutation != nil else {
      throw .usage("--trial: there is no planted bug '\(name)'")
    }
    Mutation.plant(mutation)
    var trial = MutationTrial(drivers: drivers)
    for stage in MutationPlan.stages(mutation) where trial.finding == nil { try trial.run(stage) }
    guard let finding = trial.finding else { return 0 }
    Terminal.print(caught + finding)
    return 1
  }

  /// Whether the build has planted bugs.
  static func check() throws(CommandFailure) {
    guard !Mutation.isAvailable else { return }
    throw .usage(
      "this build has no planted bugs; make one that has: "
        + "swift build --product emt --traits Mutations --scratch-path .build-mutations")
  }

  private mutating func run(_ stage: MutationStage) throws(CommandFailure) {
    guard let driver = drivers.first(where: { $0.description.name == stage.driver }) else { return }
    var job = ConformanceJob(driver: stage.driver)
    job.options = DriverOptions(stage.options)
    job.isBasicOnly = stage.isBasicOnly
    job.shortens = false
    let place =
      " on " + ([job.name] + (stage.isBasicOnly ? ["with basic functions only"] : [])).joined(separator: ", ")
    switch stage.part {
    case .contract: contract(job, driver, place)
    case .scenarios: scenarios(job, driver, place)
    case .operations(let steps):
      let check = "random operations" + place
      job.steps = steps
      if driver.explore(job, { _, _ in Terminal.print(MutationTrial.running + check) }) != nil {
        finding = check
      }
    case .programs(let steps, let swapPages):
      let check = "random programs" + (swapPages > 0 ? " in little memory" : "") + place
      Terminal.print(MutationTrial.running + check)
      var fuzz = FuzzJob()
      fuzz.steps = steps
      fuzz.shortens = false
      fuzz.onProgress = { _ in Terminal.print(MutationTrial.running + check) }
      if swapPages > 0 { (fuzz.swapPages, fuzz.memoryBytes) = (swapPages, 24 << 20) }
      if try driver.fuzz(fuzz).difference != nil { finding = check }
    }
  }

  private mutating func contract(_ job: ConformanceJob, _ driver: Driver, _ place: String) {
    var found: String?
    driver.contract(
      job,
      { _, name in
        if found == nil { Terminal.print(MutationTrial.running + name + place) }
        return found == nil
      },
      { if !$0.failures.isEmpty { found = $0.check + place } })
    finding = found
  }

  private mutating func scenarios(_ job: ConformanceJob, _ driver: Driver, _ place: String) {
    var found: String?
    driver.scenarios(job).run(where: { _, name in
      if found == nil { Terminal.print(MutationTrial.running + name + place) }
      return found == nil
    }) { outcome in
      if !outcome.failures.isEmpty { found = outcome.id + place }
    }
    finding = found
  }
}

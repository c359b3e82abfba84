// SPDX-License-Identifier: MIT
internal import Conformance
internal import EMTCore
internal import Foundation
internal import Scenarios

/// `emt conformance --host`: random programs on the host's kernel and on the simulated one.
enum HostRun {
  /// Runs programs for every driver that was asked for; of all drivers only the first, because what is judged is what
  /// they have in common.
  /// - Returns: the exit status: 1 when something differed, 0 also where there was nobody to ask.
  static func run(_ request: ConformanceRequest) -> Int32 {
    var isPassed = true
    let drivers = request.namesDrivers ? request.drivers : Array(request.drivers.prefix(1))
    for driver in drivers {
      for options in request.options(of: driver) {
        if !run(request.job(driver, options, isBasicOnly: false), driver) { isPassed = false }
      }
    }
    return isPassed ? 0 : 1
  }

  private static func run(_ job: ConformanceJob, _ driver: Driver) -> Bool {
    let start = Date()
    let report = HostOracle.explore(seed: job.seed, steps: job.steps, driver.scenarios(job).boot) {
      seed, done in
      Terminal.progress("\(job.name): \(done) of \(job.steps) steps, program with seed \(seed)")
    }
    Terminal.progress("")
    if let reason = report.skipped {
      Terminal.print("skipped: \(reason)")
      return true
    }
    Terminal.print("judge: \(report.kernel)")
    if !report.leftOut.isEmpty {
      Terminal.print(
        "left out, because the host does not offer it: \(report.leftOut.joined(separator: ", "))")
    }
    for finding in report.findings { Terminal.print("FAILED  \(job.name): \(finding)") }
    if let difference = report.difference {
      Terminal.print("FAILED  \(job.name), \(difference)")
      Terminal.print(
        "  rerun: emt conformance --host --driver \(job.driver) --seed \(difference.seed) --steps 1")
    }
    let seconds = Units.decimal(Date().timeIntervalSince(start), places: 1)
    Terminal.print(
      "\(job.name): \(Units.grouped(UInt64(report.steps))) steps in "
        + "\(Units.grouped(UInt64(report.programs))) programs from seed \(job.seed), "
        + "\(report.isPassed ? "no difference" : "not the same"), \(seconds) s")
    return report.isPassed
  }
}

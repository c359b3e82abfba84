// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Foundation
internal import Profiling
internal import VMM

/// Runs the calibration of one driver: both instruments on the same runs, then the fit.
struct Calibration {
  /// The kernel's entry functions, as their mangled names begin, by the operation that the meter charges what they do
  /// to. They never call each other.
  static let entries: [(operation: KernelOperation, prefixes: [String])] = [
    (.pageFault, ["$s3VMM6KernelC9pageFault"]),
    (
      .systemCall,
      ["10systemCall", "4fork_5child", "4exity", "7executey", "8copyUser"].map { "$s3VMM6KernelC\($0)" }
    ),
  ]
  private static let clearing = "$s9SimMemory08PhysicalB0V4zero_5bytes"
  private static let copying = "$s9SimMemory08PhysicalB0V4copy4from2to5bytes"

  let driver: String
  let callgrind: Callgrind
  /// Which memory of traces gets huge pages.
  let policy: HugePagePolicy

  init(driver: String, callgrind: Callgrind, policy: HugePagePolicy) {
    self.driver = driver
    self.callgrind = callgrind
    self.policy = policy
  }

  /// Observes the micro workloads, or the replay of `traces`: one run under callgrind for all operations.
  ///
  /// Only calls of forms that were compiled for a driver (`Tg5`; with `Tm` behind it when forms of several drivers were
  /// folded into one) are looked at, so a kernel that is not compiled for the driver is noticed.
  func observe(_ traces: [String] = []) throws(CommandFailure) -> [CostFit.Observation] {
    let kind = traces.isEmpty ? ["--run", "micro"] : ["--run", "traces", "--thp", policy.rawValue]
    let (output, dumps) = try callgrind.run(
      ["calibrate", "--driver", driver] + kind + traces,
      without: [Calibration.clearing + "*", Calibration.copying + "*"])
    let runs = try Calibration.runs(output)
    guard dumps.count >= runs.count * 2 else {
      throw .failed("callgrind wrote \(dumps.count) dumps for \(runs.count) runs; is the program stripped?")
    }
    var observations: [CostFit.Observation] = []
    for (index, run) in runs.enumerated() {
      for entry in Calibration.entries {
        let counts = run.counts(entry.operation)
        guard !counts.isEmpty else { continue }
        let calls = dumps[2 * index + 1].calls { name in
          name.contains("Tg5") && entry.prefixes.contains { name.hasPrefix($0) }
        }
        let expected = entry.operation == .pageFault ? counts[.faultEntry] ?? 0 : max(1, calls.count)
        guard calls.count == expected else {
          throw .failed(
            "\(driver), \(run.name): callgrind saw \(calls.count) of \(expected) \(entry.operation)s; is their entry "
              + "compiled for the driver?")
        }
        observations.append(
          CostFit.Observation(
            name: run.name, operation: entry.operation, counts: counts,
            instructions: Double(calls.instructions)))
      }
    }
    return observations
  }

  /// Instructions for clearing and for copying one base page.
  func contentCosts() throws(CommandFailure) -> [KernelEvent: Double] {
    let (_, dumps) = try callgrind.run(["calibrate", "--driver", driver, "--run", "contents"], without: [])
    var costs: [KernelEvent: Double] = [:]
    for (event, name) in [
      (KernelEvent.contentZeroed, Calibration.clearing), (.contentCopied, Calibration.copying),
    ] {
      let calls = dumps.reduce(into: CallgrindProfile.Calls()) { sum, dump in
        let calls = dump.calls { $0.hasPrefix(name) }
        sum.count += calls.count
        sum.instructions += calls.instructions
      }
      guard calls.count > 0 else { throw .failed("\(driver): callgrind saw no \(event)") }
      costs[event] = (Double(calls.instructions) / Double(calls.count)).rounded()
    }
    return costs
  }

  private static func runs(_ output: String) throws(CommandFailure) -> [CalibrationRun] {
    do {
      return try output.split(separator: "\n").map {
        try JSONDecoder().decode(CalibrationRun.self, from: Data($0.utf8))
      }
    } catch { throw .failed("the counted program printed something else than its counts: \(error)") }
  }

  /// The table to be committed: the fitted costs, those of contents, and the clearing of table frames, which neither
  /// instrument sees in a young machine because simulated memory is born zero.
  static func table(_ fitted: CostTable, _ contentCosts: [KernelEvent: Double]) -> CostTable {
    var table = fitted
    for (event, cost) in contentCosts { table.costs[event] = cost }
    table.costs[.tableFrame, default: 0] += contentCosts[.contentZeroed] ?? 0
    return table
  }

  /// A committed table without the clearing of table frames, to be compared with what callgrind counts.
  static func comparable(_ committed: CostTable) -> CostTable {
    var table = committed
    table.costs[.tableFrame, default: 0] -= committed.costs[.contentZeroed] ?? 0
    return table
  }
}

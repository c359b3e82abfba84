// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Foundation
internal import Profiling

/// Runs the calibration of one driver: both instruments on the same runs, then the fit.
struct Calibration {
  /// The kernel's entry functions by the operation that the meter charges what they do to. They never call each other,
  /// and only the forms that were compiled for a driver match.
  static let entries: [(operation: KernelOperation, patterns: [String])] = [
    (.pageFault, ["$s3VMM6KernelC9pageFault*Tg5"]),
    (
      .systemCall,
      ["10systemCall", "4fork_5child", "4exity", "7executey", "8copyUser"].map { "$s3VMM6KernelC\($0)*Tg5" }
    ),
  ]

  let driver: String
  let callgrind: Callgrind
  /// Instructions for clearing and for copying one base page, as they were measured.
  private(set) var contentCosts: [KernelEvent: Double] = [:]

  init(driver: String, callgrind: Callgrind) {
    self.driver = driver
    self.callgrind = callgrind
  }

  /// Observes the micro workloads, or the replay of `traces`.
  mutating func observe(_ traces: [String] = []) throws(CommandFailure) -> [CostFit.Observation] {
    var observations: [CostFit.Observation] = []
    for entry in Calibration.entries {
      let kind = traces.isEmpty ? ["--run", "micro"] : ["--run", "traces"]
      let (output, dumps) = try callgrind.run(
        ["calibrate", "--driver", driver] + kind + traces, collecting: entry.patterns)
      let runs = try Calibration.runs(output)
      guard dumps.count >= runs.count * 2 else {
        throw .failed("callgrind wrote \(dumps.count) dumps for \(runs.count) runs; is the program stripped?")
      }
      for (index, run) in runs.enumerated() {
        let counts = run.counts(entry.operation)
        guard !counts.isEmpty else { continue }
        let dump = dumps[2 * index + 1]
        let cleared = dump.calls { $0.hasPrefix("$s9SimMemory08PhysicalB0V4zero_5bytes") }
        let copied = dump.calls { $0.hasPrefix("$s9SimMemory08PhysicalB0V4copy4from2to5bytes") }
        note(.contentZeroed, cleared)
        note(.contentCopied, copied)
        let content = cleared.instructions + copied.instructions
        guard dump.total > content else {
          throw .failed(
            "\(driver), \(run.name): callgrind saw no \(entry.operation); its entry is not compiled for the driver"
          )
        }
        observations.append(
          CostFit.Observation(
            name: run.name, operation: entry.operation, counts: counts,
            instructions: Double(dump.total - content)))
      }
    }
    return observations
  }

  private mutating func note(_ event: KernelEvent, _ calls: CallgrindProfile.Calls) {
    guard calls.count > 0 else { return }
    contentCosts[event] = (Double(calls.instructions) / Double(calls.count)).rounded()
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
  func table(_ fitted: CostTable) -> CostTable {
    var table = fitted
    for (event, cost) in contentCosts { table.costs[event] = cost }
    table.costs[.tableFrame, default: 0] += contentCosts[.contentZeroed] ?? 0
    return table
  }
}

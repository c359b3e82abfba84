// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Profiling

/// How well a fitted table explains what callgrind counted.
struct CalibrationReport {
  var driver: String
  var table: CostTable
  /// What the fit saw.
  var fitted: [CostFit.Observation]
  /// What it did not see.
  var traces: [CostFit.Observation]

  private struct Row: Encodable {
    var schema = "emt.calibration/1"
    var driver: String
    var run: String
    var isFitted: Bool
    var operation: String
    var counted: UInt64
    var modelled: UInt64
    var error: Double
    /// What the meter counted.
    var events: [String: UInt64]
  }

  private func row(_ observation: CostFit.Observation, isFitted: Bool) -> Row {
    let error = table.relativeError(on: observation)
    return Row(
      driver: driver, run: observation.name, isFitted: isFitted, operation: "\(observation.operation)",
      counted: UInt64(observation.instructions),
      modelled: UInt64(max(0, (observation.instructions * (1 + error)).rounded())), error: error,
      events: Dictionary(uniqueKeysWithValues: observation.counts.map { ("\($0)", $1) }))
  }

  private var rows: [Row] {
    fitted.map { row($0, isFitted: true) } + traces.map { row($0, isFitted: false) }
  }

  func printJSON() throws(CommandFailure) {
    for row in rows { Terminal.print(try CommonOptions.json(row)) }
  }

  func show() {
    Terminal.print("\(driver): instructions counted by callgrind and modelled by the cost table")
    var table = TextTable(["run", "operation", "counted", "modelled", "error"])
    for row in rows {
      let name = row.isFitted ? row.run : row.run + " (not fitted)"
      table.add([
        name, row.operation, Units.grouped(row.counted), Units.grouped(row.modelled), percent(row.error),
      ])
    }
    table.print()
    Terminal.print("")
    for operation in Calibration.entries.map(\.operation) {
      summarise(fitted, "fitted", operation)
      summarise(traces, "not fitted", operation)
    }
    Terminal.print("")
  }

  private func summarise(
    _ observations: [CostFit.Observation], _ label: String, _ operation: KernelOperation
  ) {
    let chosen = observations.filter { $0.operation == operation }
    guard !chosen.isEmpty else { return }
    let errors = chosen.map { table.relativeError(on: $0) }
    let counted = chosen.reduce(0) { $0 + $1.instructions }
    let modelled = zip(chosen, errors).reduce(0) { $0 + $1.0.instructions * (1 + $1.1) }
    let mean = errors.reduce(0) { $0 + $1.magnitude } / Double(errors.count)
    let worst = errors.max { $0.magnitude < $1.magnitude } ?? 0
    Terminal.print(
      "\(operation), \(label): together \(percent(modelled / counted - 1)), mean \(percent(mean, isSigned: false)), "
        + "worst \(percent(worst))")
  }

  private func percent(_ value: Double, isSigned: Bool = true) -> String {
    (isSigned && value >= 0 ? "+" : "") + Units.decimal(value * 100, places: 1) + " %"
  }
}

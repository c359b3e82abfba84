// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Profiling

/// Kernel work of a page fault on every driver relative to radix: by the meter and by callgrind, on the same replays.
/// Contents of pages are not part of either.
struct FaultRatioTable {
  /// One driver's figures for one trace.
  struct Entry {
    var driver: String
    var trace: String
    var faults: UInt64
    /// As `emt replay` reports it.
    var modelled: UInt64
    /// By callgrind; tables are never cleared there, because simulated memory is born zero.
    var counted: UInt64
  }

  private struct Row: Encodable {
    var schema = "emt.faultRatio/1"
    var driver: String
    var trace: String
    var faults: UInt64
    var modelled: UInt64
    var counted: UInt64
    var modelledRatio: Double?
    var countedRatio: Double?
    var isCalibrated: Bool
  }

  private let entries: [Entry]
  private let drivers: [String]
  private let traces: [String]

  init(_ reports: [CalibrationReport]) {
    entries = reports.flatMap { report in
      report.traces.filter { $0.operation == .pageFault }.map { run in
        let modelled = run.counts.reduce(0.0) {
          $1.key.isContentWork
            ? $0 : $0 + (CostTable.fitted(for: report.driver).costs[$1.key] ?? 0) * Double($1.value)
        }
        return Entry(
          driver: report.driver, trace: run.name, faults: run.counts[.faultEntry] ?? 0,
          modelled: UInt64(modelled.rounded()), counted: UInt64(run.instructions))
      }
    }
    drivers = reports.map(\.driver)
    traces = entries.filter { [drivers] in $0.driver == drivers.first }.map(\.trace)
  }

  private func ratio(_ entry: Entry, _ figure: (Entry) -> UInt64) -> Double? {
    guard let base = entries.first(where: { $0.driver == "radix" && $0.trace == entry.trace }),
      figure(base) > 0
    else { return nil }
    return Double(figure(entry)) / Double(figure(base))
  }

  func printJSON() throws(CommandFailure) {
    for entry in entries {
      Terminal.print(
        try CommonOptions.json(
          Row(
            driver: entry.driver, trace: entry.trace, faults: entry.faults, modelled: entry.modelled,
            counted: entry.counted, modelledRatio: ratio(entry, \.modelled),
            countedRatio: ratio(entry, \.counted),
            isCalibrated: CostTable.isFitted(for: entry.driver))))
    }
  }

  func show() {
    Terminal.print(
      "instructions of kernel work per page fault: meter (modelled), callgrind (exact), ratio to radix")
    for trace in traces {
      let rows = entries.filter { $0.trace == trace }
      var table = TextTable([
        "\(trace), \(Units.grouped(rows.first?.faults ?? 0)) faults", "meter", "ratio", "callgrind", "ratio",
      ])
      for row in rows {
        let faults = Double(max(row.faults, 1))
        table.add([
          label(row.driver), Units.decimal(Double(row.modelled) / faults, places: 0),
          text(ratio(row, \.modelled)),
          Units.decimal(Double(row.counted) / faults, places: 0), text(ratio(row, \.counted)),
        ])
      }
      Terminal.print("")
      table.print()
    }
    Terminal.print("")
    var means = TextTable(["mean of \(traces.count) ratios", "meter", "callgrind", "most, callgrind"])
    for driver in drivers {
      let own = entries.filter { $0.driver == driver }
      let counted = own.compactMap { ratio($0, \.counted) }
      means.add([
        label(driver), text(mean(own.compactMap { ratio($0, \.modelled) })), text(mean(counted)),
        text(counted.max()),
      ])
    }
    means.print()
    if drivers.contains(where: { !CostTable.isFitted(for: $0) }) {
      Terminal.print("* not calibrated yet: the meter's events are priced with radix's costs")
    }
  }

  private func label(_ driver: String) -> String { CostTable.isFitted(for: driver) ? driver : driver + " *" }

  private func mean(_ values: [Double]) -> Double? {
    values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  private func text(_ ratio: Double?) -> String { ratio.map { Units.decimal($0, places: 3) + "×" } ?? "-" }
}

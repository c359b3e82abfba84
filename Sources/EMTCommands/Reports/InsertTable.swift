// SPDX-License-Identifier: MIT
internal import Catalog

/// `emt bench --inserts`: what every single insert of a growing table did.
enum InsertTable {
  /// Runs and prints it.
  /// - Returns: whether all inserts of all drivers went well.
  static func run(_ drivers: [Driver], pages: UInt64, isJSON: Bool) throws(CommandFailure) -> Bool {
    var rows: [InsertRow] = []
    for driver in drivers {
      let presets =
        driver.description.options["preset"] == nil ? [nil] : ["ours", "emt", "paper"] as [String?]
      for preset in presets {
        for order in InsertOrder.allCases {
          let name = [driver.description.name, preset].compactMap(\.self).joined(separator: " ")
          Terminal.progress("\(name): \(order.rawValue) inserts")
          let options = preset.map { ["preset": $0] } ?? [:]
          var row = try driver.inserts(InsertJob(pages: pages, order: order, options: options))
          row.driver = driver.description.name
          if isJSON { Terminal.print(try CommonOptions.json(row)) }
          rows.append(row)
        }
      }
    }
    Terminal.progress("")
    if !isJSON { show(rows, pages) }
    return rows.allSatisfy { $0.refusal == nil }
  }

  private static func show(_ rows: [InsertRow], _ pages: UInt64) {
    Terminal.print(
      "single inserts (find and update) from an empty table to \(BenchTable.pages(pages)); sparse: one page in 64, an "
        + "eighth as many; all memory was used before")
    var table = TextTable([
      "driver", "order", "inserts", "most clusters moved", "most frames cleared", "largest array (frames)",
      "ns p50",
      "p99", "p99.9", "most",
    ])
    for row in rows {
      table.add(
        [
          name(row), row.order.rawValue, Units.grouped(row.inserts), Units.grouped(row.mostMoves),
          Units.grouped(row.mostClearedFrames), Units.grouped(row.largestArrayFrames),
        ]
          + ["median", "p99", "p99.9", "most"].map { Units.grouped(UInt64(row.nanoseconds[$0] ?? 0)) })
    }
    table.print()
    Terminal.print(
      "ns: wall clock; on a shared machine the last columns are mostly interrupts and other programs, so trust the counts"
    )
    for row in rows {
      guard let refusal = row.refusal else { continue }
      Terminal.print(
        "\(name(row)), \(row.order.rawValue): insert \(Units.grouped(row.inserts + 1)) was refused (\(refusal)) with "
          + "tables of \(Units.text(bytes: row.tableBytes))")
    }
    for row in rows where row.mostMoves > 0 {
      Terminal.print("")
      histogram("\(name(row)), \(row.order.rawValue): inserts by clusters moved", row.moveBars)
      histogram("\(name(row)), \(row.order.rawValue): inserts by frames cleared", row.clearBars)
    }
  }

  private static func name(_ row: InsertRow) -> String { row.driver + (row.preset.map { " \($0)" } ?? "") }

  /// One line for each value that occurs; the bar's length is logarithmic, because nearly all inserts move nothing.
  private static func histogram(_ title: String, _ bars: [UInt64]) {
    Terminal.print(title + " (# is a doubling)")
    for (value, count) in bars.enumerated() where count > 0 {
      let bar = String(repeating: "#", count: UInt64.bitWidth - count.leadingZeroBitCount)
      Terminal.print("  \(pad("\(value)", 4))  \(pad(Units.grouped(count), 11))  \(bar)")
    }
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

// SPDX-License-Identifier: MIT

/// Timings for people: one table for each thing that was timed, the drivers below each other.
struct BenchTable {
  var rows: [BenchRow]
  var drivers: [String]

  func show() {
    let sizes = Set(rows.filter { $0.form == "single" }.compactMap(\.pages)).sorted()
    Terminal.print("nanoseconds per operation: median (least to most); ratio of medians to \(base)")
    Terminal.print("")
    for operation in BenchOperation.allCases { show(operation, sizes) }
    for name in ["map", "scan", "fork", "unmap"] { showRange(name) }
    showReplays()
    Terminal.print(
      "(least to most) over \(rows.first?.rounds ?? 0) rounds of all drivers in turns: a wide range is the machine's "
        + "other work, not the driver's")
  }

  /// The driver that ratios are to: radix if it is there.
  private var base: String { drivers.contains("radix") ? "radix" : drivers.first ?? "" }

  private func row(_ driver: String, _ name: String, _ form: String, _ pages: UInt64?) -> BenchRow? {
    rows.first { $0.driver == driver && $0.name == name && $0.form == form && $0.pages == pages }
  }

  private func show(_ operation: BenchOperation, _ sizes: [UInt64]) {
    var head = [operation.title]
    for size in sizes { head += ["\(BenchTable.pages(size)): ns", "least to most", "ratio"] }
    var table = TextTable(head + ["events per operation"])
    for driver in drivers {
      var cells = [driver]
      for size in sizes {
        cells += cell(
          row(driver, operation.rawValue, "single", size), row(base, operation.rawValue, "single", size))
      }
      cells.append(BenchTable.events(row(driver, operation.rawValue, "single", sizes.last)?.events ?? [:]))
      table.add(cells)
    }
    table.print()
    Terminal.print("")
  }

  private func showRange(_ name: String) {
    let chosen = rows.filter { $0.name == name && $0.unit == "ns/page" }
    guard let pages = chosen.first?.pages else { return }
    let title = name == "fork" ? "fork (copy of all translations)" : name
    var table = TextTable([
      "\(title), \(BenchTable.pages(pages)): ns/page", "as it is", "least to most", "ratio",
      "basic functions only",
      "least to most", "to as it is",
    ])
    for driver in drivers {
      let own = row(driver, name, "driver", pages)
      let bare = row(driver, name, "basic functions only", pages)
      table.add([driver] + cell(own, row(base, name, "driver", pages)) + cell(bare, own))
    }
    table.print()
    Terminal.print("")
  }

  private func showReplays() {
    let forms = rows.filter { $0.name == "replay" }.reduce(into: [String]()) {
      if !$0.contains($1.form) { $0.append($1.form) }
    }
    var table = TextTable(["replay: million accesses/s"] + forms.flatMap { [$0, "least to most", "ratio"] })
    for driver in drivers {
      table.add(
        [driver] + forms.flatMap { cell(row(driver, "replay", $0, nil), row(base, "replay", $0, nil)) })
    }
    table.print()
    Terminal.print("")
  }

  private func cell(_ row: BenchRow?, _ base: BenchRow?) -> [String] {
    guard let row else { return ["-", "-", "-"] }
    let ratio = base.map { Units.decimal(row.median / $0.median, places: 2) + "×" } ?? "-"
    return [
      Units.decimal(row.median, places: 1),
      "\(Units.decimal(row.minimum, places: 1)) to \(Units.decimal(row.maximum, places: 1))", ratio,
    ]
  }

  /// The events that matter, most frequent first.
  private static func events(_ events: [String: Double]) -> String {
    let chosen = events.filter { $0.value >= 0.005 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return chosen.map { "\($0.key) \(Units.decimal($0.value, places: 2))" }.joined(separator: ", ")
  }

  /// 65536 as `64 Ki pages`.
  static func pages(_ count: UInt64) -> String {
    if count >= 1 << 20, count & (1 << 20 - 1) == 0 { return "\(count >> 20) Mi pages" }
    if count >= 1 << 10, count & (1 << 10 - 1) == 0 { return "\(count >> 10) Ki pages" }
    return "\(count) pages"
  }
}

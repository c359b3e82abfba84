// SPDX-License-Identifier: MIT

/// How each group of checks went on each driver, all forms and settings together.
struct ConformanceMatrix {
  /// Counted results of one group on one driver.
  private struct Cell {
    var passed = 0
    var failed = 0
    var skipped = 0

    var text: String {
      if failed > 0 { return "\(failed) of \(passed + failed) FAILED" }
      return passed == 0 ? "skipped" : "\(passed)"
    }
  }
  private var cells: [String: [String: Cell]] = [:]
  private var groups: [String] = []
  private var drivers: [String] = []

  /// Counts one result.
  mutating func add(_ result: ConformanceResult) {
    if !groups.contains(result.group) { groups.append(result.group) }
    if !drivers.contains(result.driver) { drivers.append(result.driver) }
    var cell = cells[result.group, default: [:]][result.driver] ?? Cell()
    switch result.status {
    case "passed": cell.passed += 1
    case "failed": cell.failed += 1
    default: cell.skipped += 1
    }
    cells[result.group, default: [:]][result.driver] = cell
  }

  /// Groups down, drivers across; a cell says how many passed, or how many failed.
  func print() {
    guard !groups.isEmpty else { return }
    var table = TextTable(["group"] + drivers)
    for group in groups {
      table.add([group] + drivers.map { cells[group]?[$0]?.text ?? "-" })
    }
    table.print()
  }
}

// SPDX-License-Identifier: MIT

/// An aligned table: first column to the left, the others to the right.
struct TextTable {
  private var rows: [[String]]

  /// A table with a head.
  init(_ head: [String]) { rows = [head] }

  /// Adds a row.
  mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines, the head first.
  var lines: [String] {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let pad = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + pad : pad + cell
      }.joined(separator: "  ")
    }
  }

  /// Prints the table, the head in bold.
  func print() {
    for (index, line) in lines.enumerated() { Terminal.print(index == 0 ? Terminal.bold(line) : line) }
  }
}

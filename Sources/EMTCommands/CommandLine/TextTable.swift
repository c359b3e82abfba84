// SPDX-License-Identifier: MIT

/// An aligned table: columns of words to the left, columns of numbers to the right.
struct TextTable {
  private var rows: [[String]]
  private let words: Set<Int>

  /// A table with a head. `words` are the columns that hold words, counted from 0.
  init(_ head: [String], words: Set<Int> = [0]) {
    rows = [head]
    self.words = words
  }

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
        if !words.contains(column) { return pad + cell }
        return column == row.count - 1 ? cell : cell + pad
      }.joined(separator: "  ")
    }
  }

  /// Prints the table, the head in bold.
  func print() {
    for (index, line) in lines.enumerated() { Terminal.print(index == 0 ? Terminal.bold(line) : line) }
  }
}

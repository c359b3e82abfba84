// SPDX-License-Identifier: MIT
internal import Catalog

/// `emt bench --memory`: bytes of tables, exact.
enum MemoryTable {
  static func run(_ drivers: [Driver], pages: UInt64, isJSON: Bool) throws(CommandFailure) {
    var all: [(driver: String, rows: [MemoryRow])] = []
    for driver in drivers {
      Terminal.progress("\(driver.description.name): tables of \(BenchTable.pages(pages))")
      var rows = try driver.memory(MemoryJob(pages: pages))
      for index in rows.indices { rows[index].driver = driver.description.name }
      if isJSON { for row in rows { Terminal.print(try CommonOptions.json(row)) } }
      all.append((driver.description.name, rows))
    }
    Terminal.progress("")
    if !isJSON { show(all, pages) }
  }

  private static func show(_ all: [(driver: String, rows: [MemoryRow])], _ pages: UInt64) {
    Terminal.print(
      "bytes of tables, walk tables and summaries included; \(BenchTable.pages(pages)) in one process, at rest"
    )
    var table = TextTable([
      "driver", "new process", "dense", "bytes/page", "peak", "sparse (1 in 64)", "bytes/page", "peak",
    ])
    var parts = TextTable([
      "of these", "state", "nodes", "ways", "walk tables", "summaries", "frames handed out",
    ])
    for (driver, rows) in all {
      var cells = [driver]
      for row in rows {
        cells.append(Units.text(bytes: row.total))
        if let bytes = row.bytesPerPage {
          cells += [Units.decimal(bytes, places: 2), Units.text(bytes: row.peak)]
        }
        parts.add(
          [driver, row.state]
            + [row.nodes, row.ways, row.walkTables, row.summaries, row.allocated].map { Units.grouped($0) })
      }
      table.add(cells)
    }
    table.print()
    Terminal.print("")
    parts.print()
  }
}

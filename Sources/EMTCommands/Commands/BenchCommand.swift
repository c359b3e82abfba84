// SPDX-License-Identifier: MIT
internal import Catalog
internal import Foundation

/// `emt bench`.
enum BenchCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "bench", usage: "bench [TRACE] [--driver D] [--json]",
      summary: "Times replays and range operations over a million pages: median, least and most of 5 runs.",
      options: [
        CommandSyntax.Option(name: "--driver", value: "NAME", help: "one driver instead of all"),
        CommonOptions.json,
      ],
      examples: [("emt bench --driver radix", "the built-in sample, as .emtrace and as lackey text")])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    var chosen = drivers
    if let name = arguments.value("--driver") { chosen = [try CommonOptions.driver(name, in: drivers)] }
    var traces: [(form: String, paths: [String])] = []
    let text = FileManager.default.temporaryDirectory.appendingPathComponent(
      "emt-bench-\(UUID().uuidString).1.txt")
    defer { try? FileManager.default.removeItem(at: text) }
    if arguments.operands.isEmpty {
      let sample = try CommonOptions.samplePath()
      try LackeySample.write(sample, to: text.path)
      traces = [("lackey text", [text.path]), (".emtrace", [sample])]
    } else {
      traces = [(arguments.operands[0], arguments.operands)]
    }
    for driver in chosen {
      var rows = try traces.map { (trace) throws(CommandFailure) in
        try replay(driver, trace.form, trace.paths)
      }
      Terminal.progress("\(driver.description.name): range operations")
      rows += try driver.bench(BenchJob())
      Terminal.progress("")
      for index in rows.indices { rows[index].driver = driver.description.name }
      if arguments.has("--json") {
        for row in rows { Terminal.print(try CommonOptions.json(row)) }
      } else {
        show(driver.description.name, rows)
      }
    }
    return 0
  }

  /// Replays a trace five times, after a first time that brings its file and the host's memory in.
  private static func replay(
    _ driver: Driver, _ form: String, _ paths: [String]
  ) throws(CommandFailure) -> BenchRow {
    var samples: [Double] = []
    for run in 0...5 {
      Terminal.progress("\(driver.description.name): replaying \(form), run \(run) of 5")
      let report = try driver.replay(ReplayJob(paths: paths, driver: driver.description.name))
      let records = report.accesses.fetch + report.accesses.load + report.accesses.store
      if run > 0 { samples.append(Double(records) / report.seconds / 1e6) }
    }
    return BenchRow(name: "replay", form: form, unit: "million accesses/s", samples: samples)
  }

  private static func show(_ driver: String, _ rows: [BenchRow]) {
    var table = TextTable([driver, "form", "median", "least", "most", "unit", "ratio"])
    for row in rows {
      let own = rows.first { $0.name == row.name }?.median ?? row.median
      let ratio = row.unit == "ns/page" ? Units.decimal(row.median / own, places: 2) + "×" : ""
      table.add(
        [row.name, row.form] + [row.median, row.minimum, row.maximum].map { Units.decimal($0, places: 1) }
          + [row.unit, ratio])
    }
    table.print()
    Terminal.print("")
  }
}

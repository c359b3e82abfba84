// SPDX-License-Identifier: MIT
internal import Catalog
internal import EMTCore
internal import Foundation
internal import Profiling

/// `emt calibrate`.
enum CalibrateCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "calibrate", usage: "calibrate [TRACE…] [--driver D] [--output FILE] [--json]",
      summary:
        "Fits the cost of every kernel event to instructions counted by callgrind; traces only check the fit.",
      options: [
        CommandSyntax.Option(name: "--driver", value: "NAME", help: "one driver instead of all"),
        CommandSyntax.Option(name: "--output", value: "FILE", help: "write the tables as Swift source"),
        CommandSyntax.Option(
          name: "--run", value: "KIND",
          help: "what callgrind runs: micro or traces; prints the meter's counts"),
        CommonOptions.json,
      ],
      examples: [("Scripts/calibrate", "build for release, fit every driver, replace the committed tables")])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    var chosen = drivers
    if let name = arguments.value("--driver") { chosen = [try CommonOptions.driver(name, in: drivers)] }
    if let kind = arguments.value("--run") {
      guard chosen.count == 1, kind == "micro" || kind == "traces" else {
        throw .usage("emt calibrate: --run takes micro or traces, and needs --driver")
      }
      let traces = kind == "traces" ? arguments.operands : []
      let job = CalibrationJob(traces: traces, driver: chosen[0].description.name)
      for run in try chosen[0].calibrate(job) { Terminal.print(try CommonOptions.json(run)) }
      return 0
    }
    let callgrind = try Callgrind()
    defer { callgrind.remove() }
    var tables: [(driver: String, table: CostTable)] = []
    for driver in chosen {
      let name = driver.description.name
      Terminal.progress("calibrating \(name): micro workloads")
      var calibration = Calibration(driver: name, callgrind: callgrind)
      let micro = try calibration.observe()
      let fitted = CostTable(CostFit().costs(from: micro))
      Terminal.progress("calibrating \(name): traces")
      let traces = arguments.operands.isEmpty ? [] : try calibration.observe(arguments.operands)
      Terminal.progress("")
      let report = CalibrationReport(driver: name, table: fitted, micro: micro, traces: traces)
      if arguments.has("--json") { try report.printJSON() } else { report.show() }
      tables.append((name, calibration.table(fitted)))
    }
    if let path = arguments.value("--output") {
      do {
        try CostTable.source(of: tables).write(toFile: path, atomically: true, encoding: .utf8)
      } catch { throw .failed("\(path): cannot be written: \(error)") }
    }
    return 0
  }
}

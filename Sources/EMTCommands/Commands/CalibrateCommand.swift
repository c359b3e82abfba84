// SPDX-License-Identifier: MIT
internal import Catalog
internal import EMTCore
internal import Foundation
internal import Profiling
internal import VMM

/// `emt calibrate`.
enum CalibrateCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "calibrate",
      usage:
        "calibrate [TRACE…] [--driver D] [--train TRACE,…] [--check | --faults | --output FILE] [--thp POLICY] [--json]",
      summary:
        "Fits the cost of every kernel event to instructions counted by callgrind; TRACE… only check the fit.",
      options: [
        CommandSyntax.Option(name: "--driver", value: "NAME", help: "one driver instead of all"),
        CommandSyntax.Option(
          name: "--train", value: "TRACE,…",
          help: "traces that take part in the fit, beside the micro workloads"),
        CommandSyntax.Option(
          name: "--check", value: nil, help: "fit nothing: compare the committed tables with TRACE…"),
        CommandSyntax.Option(
          name: "--faults", value: nil, help: "like --check; prints page faults relative to radix"),
        CommonOptions.thp,
        CommandSyntax.Option(name: "--output", value: "FILE", help: "write the tables as Swift source"),
        CommandSyntax.Option(
          name: "--run", value: "KIND",
          help: "what callgrind runs: micro, contents or traces; prints the meter's counts"),
        CommonOptions.json,
      ],
      examples: [("Scripts/calibrate", "build for release, fit every driver, replace the committed tables")])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    var chosen = drivers
    if let name = arguments.value("--driver") { chosen = [try CommonOptions.driver(name, in: drivers)] }
    let policy = try CommonOptions.policy(arguments)
    if let kind = arguments.value("--run") { return try count(kind, chosen, arguments.operands, policy) }
    let isCheck = arguments.has("--check") || arguments.has("--faults")
    if isCheck {
      guard !arguments.operands.isEmpty else {
        throw .usage("emt calibrate: --check and --faults need a TRACE")
      }
      if arguments.value("--output") != nil || arguments.value("--train") != nil {
        throw .usage("emt calibrate: --check and --faults fit nothing; leave --output and --train out")
      }
    }
    let callgrind = try Callgrind()
    defer { callgrind.remove() }
    let training = (arguments.value("--train") ?? "").split(separator: ",").map(String.init)
    var tables: [(driver: String, table: CostTable)] = []
    var reports: [CalibrationReport] = []
    for driver in chosen {
      let calibration = Calibration(driver: driver.description.name, callgrind: callgrind, policy: policy)
      let report =
        isCheck
        ? try check(calibration, arguments.operands)
        : try fit(calibration, training, arguments.operands, &tables)
      Terminal.progress("")
      reports.append(report)
      if arguments.has("--faults") { continue }
      if arguments.has("--json") { try report.printJSON() } else { report.show() }
    }
    if arguments.has("--faults") {
      let table = FaultRatioTable(reports)
      if arguments.has("--json") { try table.printJSON() } else { table.show() }
    }
    if let path = arguments.value("--output") {
      do {
        try CostTable.source(of: tables).write(toFile: path, atomically: true, encoding: .utf8)
      } catch { throw .failed("\(path): cannot be written: \(error)") }
    }
    return 0
  }

  /// What callgrind runs.
  private static func count(
    _ kind: String, _ chosen: [Driver], _ traces: [String], _ policy: HugePagePolicy
  ) throws(CommandFailure) -> Int32 {
    guard chosen.count == 1, ["micro", "contents", "traces"].contains(kind) else {
      throw .usage("emt calibrate: --run takes micro, contents or traces, and needs --driver")
    }
    let workloads =
      kind == "contents" ? [MicroWorkload.copyAfterFork, .reuseAfterFork] : MicroWorkload.allCases
    let job = CalibrationJob(
      traces: kind == "traces" ? traces : [], driver: chosen[0].description.name, policy: policy,
      workloads: workloads)
    for run in try chosen[0].calibrate(job) { Terminal.print(try CommonOptions.json(run)) }
    return 0
  }

  private static func check(
    _ calibration: Calibration, _ traces: [String]
  ) throws(CommandFailure) -> CalibrationReport {
    Terminal.progress("counting \(calibration.driver)")
    let table = Calibration.comparable(CostTable.fitted(for: calibration.driver))
    return CalibrationReport(
      driver: calibration.driver, table: table, fitted: [], traces: try calibration.observe(traces))
  }

  private static func fit(
    _ calibration: Calibration, _ training: [String], _ traces: [String],
    _ tables: inout [(driver: String, table: CostTable)]
  ) throws(CommandFailure) -> CalibrationReport {
    Terminal.progress("calibrating \(calibration.driver): micro workloads")
    var observations = try calibration.observe()
    let contents = try calibration.contentCosts()
    var others: [CostFit.Observation] = []
    if !training.isEmpty || !traces.isEmpty {
      Terminal.progress("calibrating \(calibration.driver): traces")
      let seen = try calibration.observe(training + traces)
      let count = seen.isEmpty ? 0 : training.count
      let names = seen.reduce(into: [String]()) { if !$0.contains($1.name) { $0.append($1.name) } }
      for var observation in seen {
        if names.prefix(count).contains(observation.name) {
          observation.weight = CostFit.traceWeight
          observations.append(observation)
        } else {
          others.append(observation)
        }
      }
    }
    let fitted = CostTable(CostFit().costs(from: observations))
    tables.append((calibration.driver, Calibration.table(fitted, contents)))
    return CalibrationReport(driver: calibration.driver, table: fitted, fitted: observations, traces: others)
  }
}

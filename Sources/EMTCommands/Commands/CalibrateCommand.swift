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
        "calibrate [TRACE…] [--driver D] [--train TRACE,…] [--check | --faults | --output FILE --docs FILE] [--thp POLICY,…] "
        + "[--khugepaged N] [--memory SIZE] [--swap SIZE] [--json]",
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
        CommandSyntax.Option(
          name: "--thp", value: "POLICY,…",
          help: "transparent huge pages: never, madvise or always (default never); traces run with each"),
        CommonOptions.collapseInterval, CommonOptions.memory, CommonOptions.swap,
        CommandSyntax.Option(name: "--output", value: "FILE", help: "write the tables as Swift source"),
        CommandSyntax.Option(
          name: "--docs", value: "FILE", help: "replace the tables of errors in a document, between its marks"
        ),
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
    let policies = try CommonOptions.policies(arguments)
    if let kind = arguments.value("--run") { return try count(kind, chosen, arguments, policies) }
    let isCheck = arguments.has("--check") || arguments.has("--faults")
    if isCheck {
      guard !arguments.operands.isEmpty else {
        throw .usage("emt calibrate: --check and --faults need a TRACE")
      }
      if ["--output", "--train", "--docs"].contains(where: { arguments.value($0) != nil }) {
        throw .usage(
          "emt calibrate: --check and --faults fit nothing; leave --output, --docs and --train out")
      }
    }
    let callgrind = try Callgrind()
    defer { callgrind.remove() }
    let training = (arguments.value("--train") ?? "").split(separator: ",").map(String.init)
    let options = ["--khugepaged", "--memory", "--swap"].flatMap { name in
      arguments.value(name).map { [name, $0] } ?? []
    }
    var tables: [(driver: String, table: CostTable)] = []
    var reports: [CalibrationReport] = []
    for driver in chosen {
      let calibration = Calibration(
        driver: driver.description.name, callgrind: callgrind, policies: policies,
        options: options)
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
    if let path = arguments.value("--output") { try write(CostTable.source(of: tables), path) }
    if let path = arguments.value("--docs") {
      try write(try CalibrationDocument(reports, policies).replacing(in: path), path)
    }
    return 0
  }

  private static func write(_ text: String, _ path: String) throws(CommandFailure) {
    do { try text.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw .failed("\(path): cannot be written: \(error)")
    }
  }

  /// What callgrind runs.
  private static func count(
    _ kind: String, _ chosen: [Driver], _ arguments: Arguments, _ policies: [HugePagePolicy]
  ) throws(CommandFailure) -> Int32 {
    guard chosen.count == 1, policies.count == 1, ["micro", "contents", "traces"].contains(kind) else {
      throw .usage("emt calibrate: --run takes micro, contents or traces, and needs --driver and one --thp")
    }
    let workloads =
      kind == "contents" ? [MicroWorkload.copyAfterFork, .reuseAfterFork] : MicroWorkload.allCases
    var job = CalibrationJob(
      traces: kind == "traces" ? arguments.operands : [], driver: chosen[0].description.name,
      policy: policies[0], workloads: workloads)
    if arguments.value("--memory") != nil { job.memoryBytes = try CommonOptions.memoryBytes(arguments) }
    job.swapPages = try CommonOptions.swapPages(arguments)
    job.collapseInterval = try CommonOptions.collapseInterval(arguments)
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
      for var observation in try calibration.observe(training) {
        observation.weight = CostFit.traceWeight
        observations.append(observation)
      }
      others = try calibration.observe(traces)
    }
    let fitted = CostTable(CostFit().costs(from: observations))
    tables.append((calibration.driver, Calibration.table(fitted, contents)))
    return CalibrationReport(driver: calibration.driver, table: fitted, fitted: observations, traces: others)
  }
}

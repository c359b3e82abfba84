// SPDX-License-Identifier: MIT
internal import Catalog

/// `emt replay`.
enum ReplayCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "replay",
      usage:
        "replay TRACE… --driver D [--thp POLICY] [--memory SIZE] [--swap SIZE] [--cpus N] [--check] [--json]",
      summary: "Replays a trace on one driver and compares every memory call's answer with Linux's.",
      options: [
        CommandSyntax.Option(name: "--driver", value: "NAME", help: "the driver; see 'emt drivers'"),
        CommonOptions.thp, CommonOptions.collapseInterval, CommonOptions.memory, CommonOptions.swap,
        CommonOptions.nodes,
        CommandSyntax.Option(
          name: "--cpus", value: "N",
          help: "simulated CPUs, 1 to 64; threads are dealt out to them (default 1)"),
        CommandSyntax.Option(
          name: "--check", value: nil,
          help: "after every system call compare driver, reference model and walker on every page"),
        CommonOptions.json,
      ],
      examples: [
        ("emt replay sample.emtrace --driver radix", "one file with all processes of a run"),
        ("emt replay ls.*.txt --driver hashed --check", "valgrind's files of a run, one for each process"),
        ("xz -dc t.4711.txt.xz | emt replay - --driver radix", "standard input"),
      ])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    guard !arguments.operands.isEmpty else {
      throw .usage("emt replay: no trace named; usage: emt \(syntax.usage)")
    }
    guard let name = arguments.value("--driver") else {
      throw .usage(
        "emt replay: --driver is missing; there are: \(drivers.map(\.description.name).joined(separator: ", "))"
      )
    }
    let driver = try CommonOptions.driver(name, in: drivers)
    var job = ReplayJob(paths: arguments.operands, driver: driver.description.name)
    job.memoryBytes = try CommonOptions.memoryBytes(arguments)
    job.policy = try CommonOptions.policy(arguments)
    if let interval = try CommonOptions.collapseInterval(arguments) { job.collapseInterval = interval }
    job.swapPages = try CommonOptions.swapPages(arguments)
    if let text = arguments.value("--cpus") {
      guard let cpus = Int(text), (1...64).contains(cpus) else {
        throw .usage("--cpus: '\(text)' is no number of CPUs from 1 to 64")
      }
      job.cpus = cpus
    }
    job.nodes = try CommonOptions.nodeCount(arguments)
    job.isChecked = arguments.has("--check")
    job.onProgress = CommonOptions.progress("replaying on \(driver.description.name)")
    let report = try driver.replay(job)
    Terminal.progress("")
    if arguments.has("--json") { Terminal.print(try CommonOptions.json(report)) } else { report.show() }
    let isClean = report.divergences == 0 && report.faults.fatal == 0 && report.disagreements.isEmpty
    return isClean ? 0 : 1
  }
}

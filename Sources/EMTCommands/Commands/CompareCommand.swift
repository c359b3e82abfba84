// SPDX-License-Identifier: MIT
internal import Catalog

/// `emt compare`, and `emt` without arguments: the main job.
enum CompareCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "compare",
      usage: "compare [TRACE…] [--drivers a,b] [--thp POLICY] [--memory SIZE] [--swap SIZE] [--json]",
      summary: "Replays a trace on every driver and shows what each costs the operating system.",
      options: [
        CommandSyntax.Option(name: "--drivers", value: "a,b", help: "these drivers only"),
        CommonOptions.thp, CommonOptions.collapseInterval, CommonOptions.memory, CommonOptions.swap,
        CommonOptions.nodes, CommonOptions.json,
      ],
      examples: [
        ("emt", "all drivers on the built-in sample of a real program"),
        ("emt compare run.emtrace --drivers radix,hashed", "two drivers on a trace of your own"),
      ])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    let policy = try CommonOptions.policy(arguments)
    let interval = try CommonOptions.collapseInterval(arguments)
    var chosen = drivers
    if let names = arguments.value("--drivers") {
      chosen = []
      for name in names.split(separator: ",") {
        chosen.append(try CommonOptions.driver(String(name), in: drivers))
      }
    }
    guard !chosen.isEmpty else { throw .usage("emt compare: --drivers names no driver") }
    let isSample = arguments.operands.isEmpty
    if arguments.operands.contains("-") {
      throw .usage(
        "emt compare: every driver reads the trace, so it cannot come from standard input; use a file")
    }
    let paths = isSample ? [try CommonOptions.samplePath()] : arguments.operands
    let memory = try CommonOptions.memoryBytes(arguments)
    let swap = try CommonOptions.swapPages(arguments)
    let nodes = try CommonOptions.nodeCount(arguments)
    var reports: [ReplayReport] = []
    for driver in chosen {
      var job = ReplayJob(paths: paths, driver: driver.description.name)
      job.memoryBytes = memory
      job.policy = policy
      if let interval { job.collapseInterval = interval }
      job.swapPages = swap
      job.nodes = nodes
      job.onProgress = CommonOptions.progress("replaying on \(driver.description.name)")
      let report = try driver.replay(job)
      Terminal.progress("")
      if arguments.has("--json") { Terminal.print(try CommonOptions.json(report)) }
      reports.append(report)
    }
    if !arguments.has("--json") { ComparisonTable(reports, isSample: isSample).show() }
    return reports.allSatisfy { $0.divergences == 0 && $0.faults.fatal == 0 } ? 0 : 1
  }
}

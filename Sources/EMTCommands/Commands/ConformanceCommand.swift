// SPDX-License-Identifier: MIT
internal import Catalog
internal import Conformance
internal import EMTCore
internal import Foundation
internal import Scenarios
internal import VMM

/// `emt conformance`.
enum ConformanceCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "conformance",
      usage: "conformance [--driver D]… [--filter GLOB] [--list] [--tap] [--junit FILE] [--json]\n"
        + "       emt conformance --random [--steps N] [--seed S] [--driver D]… [--json]\n"
        + "       emt conformance --host [--steps N] [--seed S] [--driver D]\n"
        + "       emt conformance --mutations [--filter GLOB]",
      summary:
        "Checks drivers against the contract and runs scenarios of programs, with customizations and without.",
      options: [
        CommandSyntax.Option(
          name: "--driver", value: "D", help: "a driver, or several with commas; default all"),
        CommandSyntax.Option(
          name: "--options", value: "N=V,…", help: "the driver's options; default every set it is tested with"
        ),
        CommandSyntax.Option(name: "--basic-only", value: nil, help: "only with customizations hidden"),
        CommandSyntax.Option(name: "--natural-only", value: nil, help: "only as the driver is"),
        CommandSyntax.Option(
          name: "--thp", value: "POLICY", help: "scenarios only with huge pages 'never' or 'always'"),
        CommandSyntax.Option(
          name: "--filter", value: "GLOB",
          help: "by clause or name, group or case: 'DB-5*', '*huge*', mprotect, mmap01"),
        CommandSyntax.Option(
          name: "--list", value: nil, help: "lists checks and scenarios, and what they promise"),
        CommandSyntax.Option(name: "--tap", value: nil, help: "Test Anything Protocol on standard output"),
        CommandSyntax.Option(name: "--junit", value: "FILE", help: "also writes JUnit XML to FILE"),
        CommandSyntax.Option(
          name: "--random", value: nil, help: "random operations against the reference model and the walker"),
        CommandSyntax.Option(
          name: "--host", value: nil,
          help: "random programs on this host's own Linux kernel and on the simulated one"),
        CommandSyntax.Option(
          name: "--steps", value: "N", help: "random steps for each form, or for --host (default 100k)"),
        CommandSyntax.Option(
          name: "--seed", value: "S", help: "where random steps are drawn from (default 1)"),
        CommandSyntax.Option(
          name: "--first-failure", value: nil, help: "ends with the first check that fails"),
        CommandSyntax.Option(
          name: "--mutations", value: nil,
          help: "plants bug after bug and says what catches each (in a build for that)"),
        CommandSyntax.Option(
          name: "--trial", value: "BUG", help: "one part of --mutations: one bug, or 'none', in this process"),
        CommonOptions.json,
      ],
      examples: [
        ("emt conformance --driver hashed", "all checks and scenarios on one driver"),
        ("emt conformance --filter 'HP-*'", "the clauses about huge pages, on every driver"),
        ("emt conformance --filter mprotect", "one group of scenarios, on every driver"),
        ("emt conformance --random --steps 10M", "ten million random operations on every driver and form"),
        ("emt conformance --host --steps 1M", "the host's kernel judges a million steps of random programs"),
      ])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    if let name = arguments.value("--trial") { return try MutationTrial.run(name, drivers: drivers) }
    if arguments.has("--mutations") { return try MutationRun.run(arguments) }
    let request = try ConformanceRequest(arguments, drivers: drivers)
    if request.asksHost { return HostRun.run(request) }
    if arguments.has("--list") { return try list(request, isJSON: arguments.has("--json")) }
    let style: ConformanceReporter.Style =
      arguments.has("--json") ? .json : arguments.has("--tap") ? .tap : .human
    var reporter = ConformanceReporter(style, isRandom: request.isRandom)
    if style == .human, request.isRandom {
      Terminal.print(
        "random operations: seed \(request.seed), \(Units.grouped(UInt64(request.steps))) steps for each form"
      )
    }
    runs: for driver in request.drivers {
      for options in request.options(of: driver) {
        for isBasicOnly in request.forms {
          let job = request.job(driver, options, isBasicOnly: isBasicOnly)
          if request.isRandom {
            try reporter.add(explore(job, driver))
          } else {
            try check(job, driver, request, &reporter)
            if request.playsScenarios(options) { try play(job, driver, request, &reporter) }
            reporter.endSubject()
          }
          if request.isOver(reporter.failed) { break runs }
        }
      }
    }
    Terminal.progress("")
    if let path = arguments.value("--junit") { try write(reporter.junit, to: path) }
    return try reporter.finish()
  }

  /// The checks of the contract.
  private static func check(
    _ job: ConformanceJob, _ driver: Driver, _ request: ConformanceRequest,
    _ reporter: inout ConformanceReporter
  ) throws(CommandFailure) {
    var results: [ConformanceResult] = []
    var failed = reporter.failed
    driver.contract(job, { !request.isOver(failed) && request.isChosen($0, $1) }) { outcome in
      if !outcome.failures.isEmpty { failed += 1 }
      Terminal.progress("\(job.name): \(outcome.check)")
      var result = job.result(clause: outcome.clause, check: outcome.check)
      result.seconds = outcome.seconds
      result.failures = outcome.failures.map {
        "\($0.clause) \($0.check)\nexpected: \($0.expected)\ngot:      \($0.got)"
      }
      result.brief = outcome.failures.first.map { "expected \($0.expected), got \($0.got)" }
      result.rerun = job.rerun(["--filter", "'\(outcome.check)'"])
      results.append(result)
    }
    Terminal.progress("")
    for result in results { try reporter.add(result) }
  }

  /// The scenarios.
  private static func play(
    _ job: ConformanceJob, _ driver: Driver, _ request: ConformanceRequest,
    _ reporter: inout ConformanceReporter
  ) throws(CommandFailure) {
    var results: [ConformanceResult] = []
    var failed = reporter.failed
    var runner = driver.scenarios(job)
    if let policy = request.hugePages { runner.policies = [policy] }
    runner.run(where: { !request.isOver(failed) && request.isChosen($0, $1) }) { outcome in
      if !outcome.failures.isEmpty { failed += 1 }
      Terminal.progress("\(job.name): \(outcome.id), huge pages \(outcome.hugePages)")
      var result = job.result(clause: outcome.group, check: outcome.id)
      result.hugePages = outcome.hugePages.rawValue
      result.seconds = outcome.seconds
      result.skipped = outcome.skipped
      result.failures = outcome.failures.isEmpty ? [] : [outcome.explanation.joined(separator: "\n")]
      result.brief = outcome.failures.first.map { "expected \($0.expected), got \($0.got)" }
      result.rerun = job.rerun(["--thp", outcome.hugePages.rawValue, "--filter", outcome.id])
      results.append(result)
    }
    Terminal.progress("")
    for result in results { try reporter.add(result) }
  }

  private static func explore(_ job: ConformanceJob, _ driver: Driver) -> ConformanceResult {
    var result = job.result(clause: "random", check: "random operations")
    (result.seed, result.steps) = (job.seed, job.steps)
    let start = Date()
    var roundSeed = job.seed
    let failure = driver.explore(job) { seed, done in
      roundSeed = seed
      Terminal.progress("\(result.subject): \(done) of \(job.steps) steps, round with seed \(seed)")
    }
    Terminal.progress("")
    result.seconds = Date().timeIntervalSince(start)
    if let failure {
      result.failures = [failure.description]
      result.rerun = job.rerun(["--random", "--seed", "\(roundSeed)", "--steps", "\(max(1, failure.drawn))"])
    }
    return result
  }

  private static func list(_ request: ConformanceRequest, isJSON: Bool) throws(CommandFailure) -> Int32 {
    for (clause, name, statement) in ContractSuite.list where request.isChosen(clause, name) {
      if isJSON {
        Terminal.print(try CommonOptions.json(["clause": clause, "check": name, "statement": statement]))
      } else {
        Terminal.print("\(name)\n    \(statement)")
      }
    }
    for group in ScenarioCatalog.groups {
      for scenario in group.cases where request.isChosen(group.name, scenario.id) {
        if isJSON {
          Terminal.print(
            try CommonOptions.json([
              "clause": group.name, "check": scenario.id, "statement": scenario.promise,
            ]))
        } else {
          Terminal.print("\(group.name): \(scenario.id)\n    \(scenario.promise)")
        }
      }
    }
    return 0
  }

  private static func write(_ text: String, to path: String) throws(CommandFailure) {
    do { try text.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw .usage("--junit: \(path) cannot be written: \(error.localizedDescription)")
    }
  }
}

// SPDX-License-Identifier: MIT
internal import Catalog
internal import Conformance
internal import EMTCore
internal import Foundation

/// `emt conformance`.
enum ConformanceCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "conformance",
      usage: "conformance [--driver D]… [--filter GLOB] [--list] [--tap] [--junit FILE] [--json]\n"
        + "       emt conformance --random [--steps N] [--seed S] [--driver D]… [--json]",
      summary: "Checks drivers against the contract, as they are and with their customizations hidden.",
      options: [
        CommandSyntax.Option(
          name: "--driver", value: "D", help: "a driver, or several with commas; default all"),
        CommandSyntax.Option(
          name: "--options", value: "N=V,…", help: "the driver's options; default every set it is tested with"
        ),
        CommandSyntax.Option(name: "--basic-only", value: nil, help: "only with customizations hidden"),
        CommandSyntax.Option(name: "--natural-only", value: nil, help: "only as the driver is"),
        CommandSyntax.Option(
          name: "--filter", value: "GLOB", help: "checks by clause or name: 'DB-5*', '*huge*'"),
        CommandSyntax.Option(name: "--list", value: nil, help: "lists the checks and what they promise"),
        CommandSyntax.Option(name: "--tap", value: nil, help: "Test Anything Protocol on standard output"),
        CommandSyntax.Option(name: "--junit", value: "FILE", help: "also writes JUnit XML to FILE"),
        CommandSyntax.Option(
          name: "--random", value: nil, help: "random operations against the reference model and the walker"),
        CommandSyntax.Option(name: "--steps", value: "N", help: "random steps for each form (default 100k)"),
        CommandSyntax.Option(
          name: "--seed", value: "S", help: "where random steps are drawn from (default 1)"),
        CommonOptions.json,
      ],
      examples: [
        ("emt conformance --driver hashed", "all checks on one driver"),
        ("emt conformance --filter 'HP-*'", "the clauses about huge pages, on every driver"),
        ("emt conformance --random --steps 10M", "ten million random operations on every driver and form"),
      ])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    let request = try ConformanceRequest(arguments, drivers: drivers)
    if arguments.has("--list") { return try list(request, isJSON: arguments.has("--json")) }
    let style: ConformanceReporter.Style =
      arguments.has("--json") ? .json : arguments.has("--tap") ? .tap : .human
    var reporter = ConformanceReporter(style, isRandom: request.isRandom)
    if style == .human, request.isRandom {
      Terminal.print(
        "random operations: seed \(request.seed), \(Units.grouped(UInt64(request.steps))) steps for each form"
      )
    }
    for driver in request.drivers {
      for options in request.options(of: driver) {
        for isBasicOnly in request.forms {
          let job = request.job(driver, options, isBasicOnly: isBasicOnly)
          if request.isRandom {
            try reporter.add(explore(job, driver))
          } else {
            try check(job, driver, request, &reporter)
          }
        }
      }
    }
    Terminal.progress("")
    if let path = arguments.value("--junit") { try write(reporter.junit, to: path) }
    return try reporter.finish()
  }

  private static func check(
    _ job: ConformanceJob, _ driver: Driver, _ request: ConformanceRequest,
    _ reporter: inout ConformanceReporter
  ) throws(CommandFailure) {
    var outcomes: [ContractOutcome] = []
    driver.contract(job, request.isChosen) { outcome in
      Terminal.progress("\(job.name): \(outcome.check)")
      outcomes.append(outcome)
    }
    Terminal.progress("")
    for outcome in outcomes {
      var result = job.result(clause: outcome.clause, check: outcome.check)
      result.seconds = outcome.seconds
      result.failures = outcome.failures.map {
        "\($0.clause) \($0.check)\nexpected: \($0.expected)\ngot:      \($0.got)"
      }
      result.rerun = job.rerun(["--filter", "'\(outcome.check)'"])
      try reporter.add(result)
    }
    reporter.endSubject()
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
    return 0
  }

  private static func write(_ text: String, to path: String) throws(CommandFailure) {
    do { try text.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw .usage("--junit: \(path) cannot be written: \(error.localizedDescription)")
    }
  }
}

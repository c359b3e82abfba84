// SPDX-License-Identifier: MIT
internal import Catalog
internal import Conformance
internal import EMTCore
internal import Scenarios
internal import VMM

/// What the words behind `emt conformance` ask for.
struct ConformanceRequest {
  let drivers: [Driver]
  /// Whether the drivers were named, and are not just all.
  let namesDrivers: Bool
  private let given: DriverOptions?
  let forms: [Bool]
  private let filter: Glob?
  let isRandom: Bool
  /// Whether the host's own kernel judges random programs.
  let asksHost: Bool
  private let endsAtFailure: Bool
  let seed: UInt64
  let steps: Int
  /// The only setting of huge pages that scenarios run with.
  let hugePages: HugePagePolicy?

  init(_ arguments: Arguments, drivers all: [Driver]) throws(CommandFailure) {
    if let word = arguments.operands.first {
      throw .usage("emt conformance: '\(word)' is too much; name a driver with --driver \(word)")
    }
    var chosen: [Driver] = []
    for word in arguments.values("--driver") {
      for name in word.split(separator: ",") {
        chosen.append(try CommonOptions.driver(String(name), in: all))
      }
    }
    drivers = chosen.isEmpty ? all : chosen
    namesDrivers = !chosen.isEmpty
    given = try arguments.value("--options").map(ConformanceRequest.options)
    if let given { try ConformanceRequest.check(given, drivers) }
    let (basic, natural) = (arguments.has("--basic-only"), arguments.has("--natural-only"))
    if basic, natural { throw .usage("emt conformance: --basic-only and --natural-only exclude each other") }
    forms = basic ? [true] : natural ? [false] : [false, true]
    endsAtFailure = arguments.has("--first-failure")
    (isRandom, asksHost) = (arguments.has("--random"), arguments.has("--host"))
    if isRandom, asksHost { throw .usage("emt conformance: --random and --host are two runs; choose one") }
    for name in ["--steps", "--seed"] where !isRandom && !asksHost && arguments.value(name) != nil {
      throw .usage("emt conformance: \(name) belongs to --random and --host")
    }
    for name in ["--tap", "--json", "--junit", "--basic-only", "--natural-only"]
    where asksHost && (arguments.value(name) != nil || arguments.has(name)) {
      throw .usage("emt conformance: --host does not know \(name)")
    }
    hugePages = try ConformanceRequest.policy(arguments.value("--thp"))
    for name in ["--filter", "--list", "--thp"]
    where (isRandom || asksHost) && (arguments.value(name) != nil || arguments.has(name)) {
      throw .usage("emt conformance: \(name) chooses checks, and --random and --host run none")
    }
    if arguments.has("--tap"), arguments.has("--json") {
      throw .usage("emt conformance: --tap and --json both want standard output; use one")
    }
    filter = arguments.value("--filter").map { Glob($0) }
    steps = try ConformanceRequest.steps(arguments.value("--steps") ?? "100k")
    let text = arguments.value("--seed") ?? "1"
    guard let number = UInt64(text) else { throw .usage("--seed: '\(text)' is no number from 0 to 2^64 - 1") }
    seed = number
    if let word = arguments.value("--filter"),
      !ContractSuite.list.contains(where: { isChosen($0.clause, $0.name) }),
      !ScenarioCatalog.groups.contains(where: { group in
        group.cases.contains { isChosen(group.name, $0.id) }
      })
    {
      throw .usage("--filter: no check fits '\(word)'; 'emt conformance --list' lists them")
    }
  }

  /// Scenarios run with a driver's own settings, or with options that were asked for: some presets take megabytes for an
  /// empty address space, and cases that use memory up would take hours.
  func playsScenarios(_ options: DriverOptions) -> Bool { options.values.isEmpty || given != nil }

  private static func policy(_ word: String?) throws(CommandFailure) -> HugePagePolicy? {
    guard let word else { return nil }
    guard let policy = HugePagePolicy(rawValue: word), policy != .madvise else {
      throw .usage("--thp: '\(word)' is neither 'never' nor 'always'")
    }
    return policy
  }

  /// Whether the filter lets a check through, by its clause or its name, or a scenario by its group or name.
  func isChosen(_ clause: String, _ name: String) -> Bool {
    guard let filter else { return true }
    return filter.matches(clause) || filter.matches(name)
  }

  /// Whether nothing more is run after `failed` failures.
  func isOver(_ failed: Int) -> Bool { endsAtFailure && failed > 0 }

  /// The sets of options that `driver` is run with.
  func options(of driver: Driver) -> [DriverOptions] {
    given.map { [$0] } ?? driver.description.testedOptions.map { DriverOptions($0) }
  }

  func job(_ driver: Driver, _ options: DriverOptions, isBasicOnly: Bool) -> ConformanceJob {
    var job = ConformanceJob(driver: driver.description.name)
    job.options = options
    job.isBasicOnly = isBasicOnly
    (job.seed, job.steps) = (seed, steps)
    return job
  }

  private static func options(_ text: String) throws(CommandFailure) -> DriverOptions {
    var values: [String: String] = [:]
    for word in text.split(separator: ",") {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { throw .usage("--options: '\(word)' is not NAME=VALUE") }
      values[String(parts[0])] = String(parts[1])
    }
    return DriverOptions(values)
  }

  private static func check(_ options: DriverOptions, _ drivers: [Driver]) throws(CommandFailure) {
    for driver in drivers {
      let known = driver.description.options.keys.sorted()
      for name in options.values.keys.sorted() where !known.contains(name) {
        let there = known.isEmpty ? "it has none" : "there are: \(known.joined(separator: ", "))"
        throw .usage("--options: \(driver.description.name) has no option '\(name)'; \(there)")
      }
    }
  }

  /// `10000`, `100k`, `10M`.
  private static func steps(_ text: String) throws(CommandFailure) -> Int {
    let units: [Character: Int] = ["k": 1000, "K": 1000, "M": 1_000_000]
    let unit = text.last.flatMap { units[$0] }
    let digits = unit == nil ? Substring(text) : text.dropLast()
    guard let number = Int(digits), number > 0, number <= 1_000_000_000_000 else {
      throw .usage("--steps: '\(text)' is no number of steps; write for example 50000, 100k or 10M")
    }
    return number * (unit ?? 1)
  }
}

extension ConformanceJob {
  /// An empty result of this job.
  func result(clause: String, check: String) -> ConformanceResult {
    ConformanceResult(
      driver: driver, options: optionWords.joined(separator: ","),
      form: isBasicOnly ? "basic functions only" : "driver", clause: clause, check: check, seconds: 0,
      rerun: rerun([]))
  }

  /// The command that runs this job again, with more words.
  func rerun(_ words: [String]) -> String {
    let options = optionWords.isEmpty ? [] : ["--options", optionWords.joined(separator: ",")]
    let form = isBasicOnly ? "--basic-only" : "--natural-only"
    return (["emt conformance --driver \(driver)"] + options + [form] + words).joined(separator: " ")
  }
}

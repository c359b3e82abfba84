// SPDX-License-Identifier: MIT
internal import Catalog
internal import Conformance
internal import Foundation

/// `emt fuzz`.
enum FuzzCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "fuzz",
      usage: "fuzz [--driver D] [--steps N] [--seed S] [--thp POLICY] [--memory SIZE] [--swap SIZE] [--json]",
      summary:
        "Runs random programs on every driver and on a naive model of memory, and compares all they see.",
      options: [
        CommandSyntax.Option(name: "--driver", value: "NAME", help: "one driver instead of all"),
        CommandSyntax.Option(
          name: "--steps", value: "N", help: "system calls, loads, stores and forks (default 100000)"),
        CommandSyntax.Option(
          name: "--seed", value: "S", help: "what the program is drawn from (default 1)"),
        CommonOptions.thp, CommonOptions.memory, CommonOptions.swap, CommonOptions.json,
      ],
      examples: [
        ("emt fuzz --steps 1000000 --seed 7", "a longer program; the drivers' answers must be equal"),
        ("emt fuzz --thp always --memory 24M --swap 256M", "huge pages, and too little memory"),
      ])
  }

  /// A report as JSON.
  private struct Row: Encodable {
    var schema = "emt.fuzz/1"
    var driver: String
    var seed: UInt64
    var steps: Int
    var digest: String
    var difference: String?
    var seconds: Double
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    guard arguments.operands.isEmpty else {
      throw .usage("emt fuzz: takes no operands; see 'emt fuzz --help'")
    }
    var chosen = drivers
    if let name = arguments.value("--driver") { chosen = [try CommonOptions.driver(name, in: drivers)] }
    var job = FuzzJob()
    job.steps = try number("--steps", arguments, job.steps, from: 1)
    job.seed = UInt64(try number("--seed", arguments, Int(job.seed), from: 0))
    job.memoryBytes = try CommonOptions.memoryBytes(arguments)
    job.swapPages = try CommonOptions.swapPages(arguments)
    job.policy = try CommonOptions.policy(arguments)
    let steps = job.steps
    var table = TextTable(
      ["driver", "seed", "steps", "digest of answers", "steps/s", "outcome"], words: [0, 5])
    var (digests, failures): (Set<UInt64>, Int) = ([], 0)
    for driver in chosen {
      let name = driver.description.name
      job.onProgress = { Terminal.progress("\(name): \($0 * 100 / steps) % of \(steps) steps") }
      let start = Date()
      let report = try driver.fuzz(job)
      let seconds = Date().timeIntervalSince(start)
      Terminal.progress("")
      digests.insert(report.digest)
      if report.difference != nil { failures += 1 }
      let digest = String(report.digest, radix: 16)
      if arguments.has("--json") {
        Terminal.print(
          try CommonOptions.json(
            Row(
              driver: name, seed: report.seed, steps: report.steps, digest: digest,
              difference: report.difference, seconds: seconds)))
      } else {
        let rate = Units.grouped(UInt64(Double(report.steps) / max(seconds, 1e-9)))
        table.add(
          [name, "\(report.seed)", Units.grouped(UInt64(report.steps)), digest, rate]
            + [report.difference == nil ? "agrees with the model" : "differs"])
      }
      if let difference = report.difference {
        Terminal.complain("\(name), seed \(report.seed), step \(report.steps): \(difference)")
        for step in report.culprit { Terminal.complain("  \(step),") }
      }
    }
    if !arguments.has("--json") { table.print() }
    // With too little memory the size of a driver's tables decides what runs out, and when.
    if failures == 0, digests.count > 1, job.swapPages == 0 {
      Terminal.complain("the drivers gave different answers to the same program")
      return 1
    }
    return failures == 0 ? 0 : 1
  }

  /// A number that an option gives.
  private static func number(
    _ option: String, _ arguments: Arguments, _ standard: Int, from least: Int
  ) throws(CommandFailure) -> Int {
    guard let text = arguments.value(option) else { return standard }
    guard let number = Int(text), number >= least else {
      throw .usage("\(option): '\(text)' is no number from \(least) on")
    }
    return number
  }
}

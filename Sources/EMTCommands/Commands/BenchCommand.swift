// SPDX-License-Identifier: MIT
internal import Catalog

/// `emt bench`.
enum BenchCommand: Command {
  static var syntax: CommandSyntax {
    CommandSyntax(
      name: "bench",
      usage:
        "bench [TRACE…] [--memory | --inserts | --scale SIZE,…] [--driver D] [--pages N,…] [--rounds N] [--json]",
      summary:
        "Times operations, ranges and replays, driver beside driver; or measures tables, inserts or many faults.",
      options: [
        CommandSyntax.Option(name: "--driver", value: "NAME", help: "one driver instead of all"),
        CommandSyntax.Option(
          name: "--memory", value: nil, help: "bytes of tables: a new process, dense and sparse pages"),
        CommandSyntax.Option(
          name: "--inserts", value: nil,
          help: "what every single insert of a growing table moves and clears"),
        CommandSyntax.Option(
          name: "--scale", value: "SIZE,…",
          help: "fault in every page of one mapping of e.g. 1G, 16G or 1T: time, instructions, memory"),
        CommandSyntax.Option(
          name: "--count", value: nil,
          help: "with --scale: callgrind counts instructions as well (at most about 24G; needs valgrind)"),
        CommandSyntax.Option(
          name: "--pages", value: "N,…",
          help: "base pages to map, e.g. 64K or 64K,1M (default; 1M with --memory and --inserts)"),
        CommandSyntax.Option(
          name: "--rounds", value: "N", help: "rounds of all drivers, 1 to 99 (default 5)"),
        CommonOptions.json,
      ],
      examples: [
        ("emt bench", "all drivers in turns; median, least and most of five rounds"),
        ("emt bench --memory", "bytes of tables per process and per page"),
        ("emt bench --inserts --driver ecpt", "the most that one insert moves and clears, for every preset"),
        ("emt bench --scale 1T --driver radix", "268 million faults: what one costs, and host memory"),
      ])
  }

  static func run(_ words: [String], drivers: [Driver]) throws(CommandFailure) -> Int32 {
    let arguments = try Arguments(words, syntax)
    var chosen = drivers
    if let name = arguments.value("--driver") { chosen = [try CommonOptions.driver(name, in: drivers)] }
    let (isMemory, isInserts) = (arguments.has("--memory"), arguments.has("--inserts"))
    if let sizes = arguments.value("--scale") { return try scale(sizes, arguments, chosen) }
    if arguments.has("--count") { throw .usage("emt bench: --count belongs to --scale") }
    guard isMemory || isInserts else {
      let sizes = try pages(arguments, default: [1 << 16, 1 << 20])
      let series = try BenchSeries(sizes: sizes, rounds: try rounds(arguments), traces: arguments.operands)
      try series.run(chosen, isJSON: arguments.has("--json"))
      return 0
    }
    let flag = isMemory ? "--memory" : "--inserts"
    if isMemory, isInserts { throw .usage("emt bench: --memory and --inserts are two runs; use one of them") }
    if let extra = arguments.operands.first {
      throw .usage("emt bench: \(flag) replays nothing; unexpected '\(extra)'")
    }
    if arguments.value("--rounds") != nil {
      throw .usage("emt bench: \(flag) is exact and takes no --rounds")
    }
    var isClean = true
    for size in try pages(arguments, default: [1 << 20]) {
      if isMemory {
        try MemoryTable.run(chosen, pages: size, isJSON: arguments.has("--json"))
      } else {
        isClean = try InsertTable.run(chosen, pages: size, isJSON: arguments.has("--json")) && isClean
      }
    }
    return isClean ? 0 : 1
  }

  private static func scale(
    _ text: String, _ arguments: Arguments, _ drivers: [Driver]
  ) throws(CommandFailure) -> Int32 {
    for other in ["--memory", "--inserts"] where arguments.has(other) {
      throw .usage("emt bench: --scale and \(other) are two runs; use one of them")
    }
    for other in ["--pages", "--rounds"] where arguments.value(other) != nil {
      throw .usage("emt bench: --scale takes no \(other)")
    }
    if let extra = arguments.operands.first {
      throw .usage("emt bench: --scale replays nothing; unexpected '\(extra)'")
    }
    var sizes: [UInt64] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let bytes = Units.bytes(String(word)), (1 << 20...3 << 40).contains(bytes), bytes & 0xFFF == 0
      else {
        throw .usage("emt bench: --scale: '\(word)' is no size from 1M to 3T; write for example 1G,16G")
      }
      sizes.append(bytes)
    }
    try ScaleTable.run(
      drivers, sizes: sizes, isCounted: arguments.has("--count"), isJSON: arguments.has("--json"))
    return 0
  }

  private static func pages(_ arguments: Arguments, default sizes: [UInt64]) throws(CommandFailure)
    -> [UInt64]
  {
    guard let text = arguments.value("--pages") else { return sizes }
    var chosen: [UInt64] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let pages = Units.bytes(String(word)), (64...1 << 22).contains(pages) else {
        throw .usage("emt bench: --pages: '\(word)' is no number from 64 to 4M; write for example 64K,1M")
      }
      chosen.append(pages)
    }
    return chosen
  }

  private static func rounds(_ arguments: Arguments) throws(CommandFailure) -> Int {
    guard let text = arguments.value("--rounds") else { return 5 }
    guard let rounds = Int(text), (1...99).contains(rounds) else {
      throw .usage("emt bench: --rounds: '\(text)' is no number from 1 to 99")
    }
    return rounds
  }
}

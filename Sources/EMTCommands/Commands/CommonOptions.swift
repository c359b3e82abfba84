// SPDX-License-Identifier: MIT
internal import Catalog
internal import Foundation
internal import VMM

/// Options that several commands share.
enum CommonOptions {
  static var json: CommandSyntax.Option {
    CommandSyntax.Option(name: "--json", value: nil, help: "JSON Lines on standard output, nothing else")
  }
  static var thp: CommandSyntax.Option {
    CommandSyntax.Option(
      name: "--thp", value: "POLICY", help: "transparent huge pages: never, madvise or always (default never)"
    )
  }
  static var collapseInterval: CommandSyntax.Option {
    CommandSyntax.Option(
      name: "--khugepaged", value: "N",
      help: "accesses between two passes of the collapsing job, 0: it never runs (default 1000000)")
  }
  static var memory: CommandSyntax.Option {
    CommandSyntax.Option(
      name: "--memory", value: "SIZE", help: "simulated memory, e.g. 512M, 16G (default 16G)")
  }

  static var swap: CommandSyntax.Option {
    CommandSyntax.Option(
      name: "--swap", value: "SIZE", help: "a swap area, for more pages than --memory holds (default none)")
  }

  static var nodes: CommandSyntax.Option {
    CommandSyntax.Option(
      name: "--nodes", value: "N",
      help: "NUMA nodes that memory and tables are shared out over, page by page (default 1)")
  }

  /// The value of `--nodes`.
  static func nodeCount(_ arguments: Arguments) throws(CommandFailure) -> Int {
    guard let text = arguments.value("--nodes") else { return 1 }
    guard let count = Int(text), (1...64).contains(count) else {
      throw .usage("--nodes: '\(text)' is no number from 1 to 64")
    }
    return count
  }

  /// The value of `--thp`.
  static func policy(_ arguments: Arguments) throws(CommandFailure) -> HugePagePolicy {
    try policy(arguments.value("--thp") ?? "never")
  }

  /// The value of `--thp` where several are allowed.
  static func policies(_ arguments: Arguments) throws(CommandFailure) -> [HugePagePolicy] {
    var policies: [HugePagePolicy] = []
    for name in (arguments.value("--thp") ?? "never").split(separator: ",") {
      policies.append(try policy(String(name)))
    }
    return policies
  }

  private static func policy(_ name: String) throws(CommandFailure) -> HugePagePolicy {
    guard let policy = HugePagePolicy(rawValue: name) else {
      throw .usage("--thp: unknown policy '\(name)'; use never, madvise or always")
    }
    return policy
  }

  /// The value of `--khugepaged`, nil without one.
  static func collapseInterval(_ arguments: Arguments) throws(CommandFailure) -> UInt64? {
    guard let text = arguments.value("--khugepaged") else { return nil }
    guard let interval = UInt64(text) else {
      throw .usage("--khugepaged: '\(text)' is no number of accesses")
    }
    return interval
  }

  /// The value of `--memory` in bytes.
  static func memoryBytes(_ arguments: Arguments) throws(CommandFailure) -> UInt64 {
    try bytes(arguments, "--memory") ?? 16 << 30
  }

  /// The value of `--swap` in base pages.
  static func swapPages(_ arguments: Arguments) throws(CommandFailure) -> UInt64 {
    (try bytes(arguments, "--swap") ?? 0) >> 12
  }

  private static func bytes(_ arguments: Arguments, _ option: String) throws(CommandFailure) -> UInt64? {
    guard let text = arguments.value(option) else { return nil }
    guard let bytes = Units.bytes(text), bytes > 0 else {
      throw .usage("\(option): '\(text)' is no size; write for example 512M or 16G")
    }
    return bytes
  }

  /// The driver called `name`, or `fpt` for the FPT pattern that it stands for.
  static func driver(_ name: String, in drivers: [Driver]) throws(CommandFailure) -> Driver {
    let wanted = name == "fpt" ? "fpt-l4l3-l2l1" : name
    if let driver = drivers.first(where: { $0.description.name == wanted }) { return driver }
    let names = drivers.map(\.description.name)
    let near = Spelling.nearest(to: wanted, in: names).map { "did you mean '\($0)'? " } ?? ""
    throw .usage("unknown driver '\(name)'; \(near)there are: \(names.joined(separator: ", "))")
  }

  /// One line of JSON, keys in order.
  static func json(_ value: some Encodable) throws(CommandFailure) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
      throw .failed("the report could not be written as JSON: \(error)")
    }
  }

  /// A callback that shows progress of a replay on a terminal.
  static func progress(_ label: String) -> @Sendable (UInt64, UInt64?) -> Void {
    { done, total in
      guard let total, total > 0 else { return Terminal.progress("\(label)  \(Units.text(bytes: done))") }
      Terminal.progress("\(label)  \(min(100, done * 100 / total)) %")
    }
  }

  /// The trace that comes with the tool: a real program, recorded on a real kernel (`Docs/Sample.md`).
  static func samplePath() throws(CommandFailure) -> String {
    guard let url = Bundle.module.url(forResource: "sample", withExtension: "emtrace", subdirectory: "Sample")
    else {
      throw .failed("the built-in sample is missing; name a trace instead: emt compare TRACE")
    }
    return url.path
  }
}

// SPDX-License-Identifier: MIT
internal import Foundation
internal import Mutations

/// `emt conformance --mutations`: each planted bug in a process of its own, a few side by side, and what caught it.
struct MutationRun {
  /// How a bug ended.
  private struct Result {
    var mutation: Mutation?
    /// The check that caught it; nil when it was missed.
    var catcher: String?
    var seconds: Double
  }

  /// Seconds in one check after which a bug counts as caught because nothing answers. Without a bug no check takes a tenth
  /// of that.
  private static let silence = 90.0
  /// The same for all checks together.
  private static let patience = 900.0

  private let folder: URL

  /// Runs the bugs that `--filter` chooses, and before them the suite without any.
  /// - Returns: 1 when a bug was missed.
  static func run(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
    try MutationTrial.check()
    let filter = arguments.value("--filter").map { Glob($0) }
    let chosen = Mutation.allCases.filter { filter?.matches($0.name) ?? true }
    guard !chosen.isEmpty else {
      throw .usage("--filter: no planted bug is called so; Docs/Mutations.md lists them")
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("emt-\(UUID().uuidString)")
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw .failed("\(folder.path): cannot make a temporary folder: \(error)")
    }
    defer { try? FileManager.default.removeItem(at: folder) }
    return try MutationRun(folder: folder).run(chosen)
  }

  private func run(_ chosen: [Mutation]) throws(CommandFailure) -> Int32 {
    var waiting = ArraySlice([nil] + chosen.map(Optional.some))
    var trials: [MutationProcess] = []
    var results: [Result] = []
    while !waiting.isEmpty || !trials.isEmpty {
      while trials.count < max(ProcessInfo.processInfo.activeProcessorCount, 1), let next = waiting.popFirst()
      {
        trials.append(try MutationProcess(next, in: folder))
      }
      for index in trials.indices.reversed() {
        let state = trials[index].state(silence: MutationRun.silence, patience: MutationRun.patience)
        if case .running = state { continue }
        let trial = trials.remove(at: index)
        var result = Result(mutation: trial.mutation, catcher: nil, seconds: trial.seconds)
        if case .caught(let text) = state { result.catcher = text }
        if trial.mutation == nil, let text = result.catcher {
          for trial in trials { trial.end() }
          throw .failed("without a planted bug the suite must pass, but: \(text)")
        }
        results.append(result)
        Terminal.progress(
          "\(results.count) of \(chosen.count + 1), missed: "
            + "\(results.count { $0.mutation != nil && $0.catcher == nil })")
      }
      usleep(20_000)
    }
    Terminal.progress("")
    return show(results)
  }

  private func show(_ results: [Result]) -> Int32 {
    let sorted = results.sorted { ($0.mutation?.rawValue ?? 0) < ($1.mutation?.rawValue ?? 0) }
    var table = TextTable(["mutation", "caught by", "seconds"], words: [0, 1])
    for result in sorted {
      let catcher = result.catcher ?? (result.mutation == nil ? "nothing, as it should be" : "MISSED")
      table.add([result.mutation?.name ?? "none", catcher, Units.decimal(result.seconds, places: 1)])
    }
    table.print()
    let bugs = results.filter { $0.mutation != nil }
    let missed = bugs.count { $0.catcher == nil }
    Terminal.print("\(bugs.count) mutations: \(bugs.count - missed) caught, \(missed) missed")
    return missed == 0 ? 0 : 1
  }
}

// SPDX-License-Identifier: MIT
internal import Catalog
internal import EMTCore
internal import Foundation

/// The timings of all drivers, in rounds: every round asks every driver, so that what else the machine does meanwhile
/// falls on all of them and shows as a spread.
struct BenchSeries {
  private let sizes: [UInt64]
  private let rounds: Int
  private let traces: [String]

  init(sizes: [UInt64], rounds: Int, traces: [String]) throws(CommandFailure) {
    self.sizes = sizes
    self.rounds = rounds
    self.traces = traces
  }

  /// What is timed, for one driver.
  private struct Key: Hashable {
    var driver: String
    var name: String
    var form: String
    var pages: UInt64?
  }

  /// Samples by what they are of.
  private struct Samples {
    var times: [Key: [Double]] = [:]
    var events: [Key: [String: Double]] = [:]
    /// In the order in which they came first.
    var keys: [Key] = []

    mutating func add(_ key: Key, _ time: Double) {
      if times[key] == nil { keys.append(key) }
      times[key, default: []].append(time)
    }
  }

  func run(_ drivers: [Driver], isJSON: Bool) throws(CommandFailure) {
    let text = FileManager.default.temporaryDirectory.appendingPathComponent(
      "emt-bench-\(UUID().uuidString).1.txt")
    defer { try? FileManager.default.removeItem(at: text) }
    var replays: [(form: String, paths: [String])] = []
    if let first = traces.first {
      replays = [(first, traces)]
    } else {
      let sample = try CommonOptions.samplePath()
      try LackeySample.write(sample, to: text.path)
      replays = [("lackey text", [text.path]), (".emtrace", [sample])]
    }
    var samples = Samples()
    for round in 1...rounds {
      // There and back again: no driver is always behind the same one.
      for driver in round & 1 == 1 ? drivers : drivers.reversed() {
        Terminal.progress("round \(round) of \(rounds): \(driver.description.name)")
        try measure(driver, replays, &samples)
      }
    }
    Terminal.progress("")
    let rows = samples.keys.map { key in
      var row = BenchRow(
        driver: key.driver, name: key.name, form: key.form, pages: key.pages,
        unit: key.name == "replay" ? "million accesses/s" : key.form == "single" ? "ns/operation" : "ns/page",
        samples: samples.times[key] ?? [])
      row.events = samples.events[key]
      return row
    }
    if isJSON {
      for row in rows { Terminal.print(try CommonOptions.json(row)) }
    } else {
      BenchTable(rows: rows, drivers: drivers.map(\.description.name)).show()
    }
  }

  private func measure(
    _ driver: Driver, _ replays: [(form: String, paths: [String])], _ samples: inout Samples
  ) throws(CommandFailure) {
    let name = driver.description.name
    for size in sizes {
      for sample in try driver.operations(OperationJob(pages: size)) {
        let key = Key(driver: name, name: sample.operation.rawValue, form: "single", pages: size)
        samples.add(key, sample.nanoseconds)
        samples.events[key] = Dictionary(uniqueKeysWithValues: sample.events.map { ("\($0)", $1) })
      }
    }
    let largest = sizes.max() ?? 1 << 20
    for sample in try driver.ranges(BenchJob(pages: largest)) {
      samples.add(Key(driver: name, name: sample.name, form: sample.form, pages: largest), sample.nanoseconds)
    }
    for (form, paths) in replays {
      let report = try driver.replay(ReplayJob(paths: paths, driver: name))
      let records = report.accesses.fetch + report.accesses.load + report.accesses.store
      samples.add(Key(driver: name, name: "replay", form: form), Double(records) / report.seconds / 1e6)
    }
  }
}

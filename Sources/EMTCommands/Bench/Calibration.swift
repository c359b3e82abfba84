// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Foundation
internal import Profiling
internal import VMM

/// Runs the calibration of one driver: both instruments on the same runs, then the fit.
struct Calibration {
  /// The kernel's entry functions, as their mangled names begin, by the operation that the meter charges what they do
  /// to. They never call each other, but for the background reclaimer, which page faults call.
  static let entries: [(operation: KernelOperation, prefixes: [String])] = [
    (.pageFault, ["$s3VMM6KernelC9pageFault"]),
    (
      .systemCall,
      ["10systemCall", "4fork_5child", "4exity", "7executey", "8copyUser"].map { "$s3VMM6KernelC\($0)" }
    ),
    (.khugepaged, ["$s3VMM6KernelC20collapseInBackground"]),
    (.reclaim, ["$s3VMM6KernelC13balanceMemory"]),
  ]
  private static let clearing = "$s9SimMemory08PhysicalB0V4zero_5bytes"
  private static let copying = "$s9SimMemory08PhysicalB0V4copy4from2to5bytes"
  /// What works on contents of pages, as mangled names begin. None of these calls another one: callgrind would go on
  /// counting inside.
  private static let contentWork = [
    clearing, copying, "$s9SimMemory14FrameAllocatorV10clearBlock", "$s9SimMemory9PageStoreC5write_4from2in",
    "$s9SimMemory9PageStoreC4read_4into2in",
  ]

  let driver: String
  let callgrind: Callgrind
  /// Which memory of traces gets huge pages: each trace is replayed once for each.
  let policies: [HugePagePolicy]
  /// Further options of the replays: how much memory, how often the collapsing job runs.
  let options: [String]

  init(driver: String, callgrind: Callgrind, policies: [HugePagePolicy], options: [String]) {
    self.driver = driver
    self.callgrind = callgrind
    self.policies = policies
    self.options = options
  }

  /// Observes the micro workloads.
  func observe() throws(CommandFailure) -> [CostFit.Observation] { try count(["--run", "micro"]) }

  /// Observes replays of `traces`, with each policy.
  func observe(_ traces: [String]) throws(CommandFailure) -> [CostFit.Observation] {
    var observations: [CostFit.Observation] = []
    for policy in policies where !traces.isEmpty {
      for var observation in try count(["--run", "traces", "--thp", policy.rawValue] + options + traces) {
        observation.name = Calibration.name(observation.name, policy)
        observations.append(observation)
      }
    }
    return observations
  }

  /// What a trace is called when it was replayed with a policy.
  static func name(_ trace: String, _ policy: HugePagePolicy) -> String {
    policy == .never ? trace : "\(trace), thp \(policy.rawValue)"
  }

  /// Observes what `kind` says: one run under callgrind for all operations.
  ///
  /// Only calls of forms that were compiled for a driver (`Tg5`; with `Tm` behind it when forms of several drivers were
  /// folded into one) are looked at, so a kernel that is not compiled for the driver is noticed.
  private func count(_ kind: [String]) throws(CommandFailure) -> [CostFit.Observation] {
    let (output, dumps) = try callgrind.run(
      ["calibrate", "--driver", driver] + kind, without: Calibration.contentWork.map { $0 + "*" })
    let runs = try Calibration.runs(output)
    guard dumps.count >= runs.count * 2 else {
      throw .failed("callgrind wrote \(dumps.count) dumps for \(runs.count) runs; is the program stripped?")
    }
    var observations: [CostFit.Observation] = []
    for (index, run) in runs.enumerated() {
      for entry in Calibration.entries {
        let counts = run.counts(entry.operation)
        guard !counts.isEmpty else { continue }
        let calls = Calibration.calls(entry.prefixes, in: dumps[2 * index + 1])
        let expected = entry.operation == .pageFault ? counts[.faultEntry] ?? 0 : max(1, calls.count)
        guard calls.count == expected else {
          throw .failed(
            "\(driver), \(run.name): callgrind saw \(calls.count) of \(expected) \(entry.operation)s; is their entry "
              + "compiled for the driver?")
        }
        var instructions = calls.instructions
        if entry.operation == .pageFault, let reclaim = Calibration.entries.last {
          instructions -= Calibration.calls(reclaim.prefixes, in: dumps[2 * index + 1]).instructions
        }
        observations.append(
          CostFit.Observation(
            name: run.name, operation: entry.operation, counts: counts, instructions: Double(instructions)))
      }
    }
    return observations
  }

  private static func calls(_ prefixes: [String], in dump: CallgrindProfile) -> CallgrindProfile.Calls {
    dump.calls { name in name.contains("Tg5") && prefixes.contains { name.hasPrefix($0) } }
  }

  /// Instructions for clearing and for copying one base page.
  func contentCosts() throws(CommandFailure) -> [KernelEvent: Double] {
    let (_, dumps) = try callgrind.run(["calibrate", "--driver", driver, "--run", "contents"], without: [])
    var costs: [KernelEvent: Double] = [:]
    for (event, name) in [
      (KernelEvent.contentZeroed, Calibration.clearing), (.contentCopied, Calibration.copying),
    ] {
      let calls = dumps.reduce(into: CallgrindProfile.Calls()) { sum, dump in
        let calls = dump.calls { $0.hasPrefix(name) }
        sum.count += calls.count
        sum.instructions += calls.instructions
      }
      guard calls.count > 0 else { throw .failed("\(driver): callgrind saw no \(event)") }
      costs[event] = (Double(calls.instructions) / Double(calls.count)).rounded()
    }
    return costs
  }

  private static func runs(_ output: String) throws(CommandFailure) -> [CalibrationRun] {
    do {
      return try output.split(separator: "\n").map {
        try JSONDecoder().decode(CalibrationRun.self, from: Data($0.utf8))
      }
    } catch { throw .failed("the counted program printed something else than its counts: \(error)") }
  }

  /// What no code here executes: another processor is told, and stops what it does. It costs what is assumed.
  private static let assumed: [KernelEvent] = [.shootdown, .interrupt]

  /// The table to be committed: the fitted costs, those of contents, what is assumed of interrupts, and the clearing of table
  /// frames, which neither instrument sees in a young machine because simulated memory is born zero.
  static func table(_ fitted: CostTable, _ contentCosts: [KernelEvent: Double]) -> CostTable {
    var table = fitted
    for (event, cost) in contentCosts { table.costs[event] = cost }
    table.costs[.tableFrame, default: 0] += contentCosts[.contentZeroed] ?? 0
    for event in assumed { table.costs[event, default: 0] += CostFit.prior(event) }
    return table
  }

  /// A committed table without interrupts and the clearing of table frames, to be compared with what callgrind counts.
  static func comparable(_ committed: CostTable) -> CostTable {
    var table = committed
    table.costs[.tableFrame, default: 0] -= committed.costs[.contentZeroed] ?? 0
    for event in assumed { table.costs[event, default: 0] -= CostFit.prior(event) }
    return table
  }
}

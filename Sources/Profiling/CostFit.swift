// SPDX-License-Identifier: MIT
public import EMTCore

/// Fits the costs of events to instructions that were really executed.
///
/// Non-negative least squares over relative errors, so that cheap and dear runs count alike, with a weak pull towards a
/// prior that decides where the runs cannot tell two events apart.
public struct CostFit: Sendable {
  /// One run: how often the meter saw each event in an operation, and how many instructions that took.
  public struct Observation: Sendable, Equatable {
    /// The run's name.
    public var name: String
    /// The operation whose events and instructions these are.
    public var operation: KernelOperation
    /// Events.
    public var counts: [KernelEvent: UInt64]
    /// Instructions counted, contents of pages left out.
    public var instructions: Double
    /// How much the observation's relative error weighs in the fit.
    public var weight = 1.0

    /// One observation.
    public init(
      name: String, operation: KernelOperation, counts: [KernelEvent: UInt64], instructions: Double
    ) {
      self.name = name
      self.operation = operation
      self.counts = counts
      self.instructions = instructions
    }
  }

  /// How strongly the fit is pulled towards the prior, relative to one observation that is off by 100 %.
  public var ridge = 1e-5

  /// How much a real program's trace weighs beside a micro workload: a few of them stand against dozens.
  public static var traceWeight: Double { 8 }

  /// A fit with default settings.
  public init() {}

  /// The order of magnitude of each event's cost: what it would be if nothing were measured.
  public static func prior(_ event: KernelEvent) -> Double {
    switch event {
    case .contentZeroed, .contentCopied: 0
    case .entryRead, .vmaMoved, .tableFrameChecked: 5
    case .extraProbe, .lockWait, .pageCount, .iteratorStep, .rangeEntry, .vmaSearchStep, .pieceWritten: 15
    case .tableFrame, .systemCallEntry, .vmaChange, .vmaGathered, .clusterMove, .shootdown, .interrupt,
      .hugeEntryWrite,
      .rangeCall, .groupMade, .groupFreed, .swapSlot, .blockAllocated, .blockFreed, .jobEntry,
      .jobStep:
      200
    default: 60
    }
  }

  /// The costs that explain `observations` best; content work is left out.
  public func costs(from observations: [Observation]) -> [KernelEvent: Double] {
    let events = KernelEvent.allCases.filter { !$0.isContentWork }
    let used = observations.filter { $0.instructions > 0 }
    let rows = used.map { run in events.map { Double(run.counts[$0] ?? 0) / run.instructions } }
    let weights = used.map(\.weight)
    let priors = events.map { CostFit.prior($0) }
    let fitted = solve(rows, weights, priors)
    return Dictionary(uniqueKeysWithValues: zip(events, fitted))
  }

  /// Coordinate descent on the normal equations: exact enough, and too small to need anything better. Every row's
  /// target is 1.
  private func solve(_ rows: [[Double]], _ weights: [Double], _ priors: [Double]) -> [Double] {
    let count = priors.count
    var gram = Array(repeating: Array(repeating: 0.0, count: count), count: count)
    var right = Array(repeating: 0.0, count: count)
    for (row, weight) in zip(rows, weights) {
      for i in 0..<count where row[i] != 0 {
        right[i] += weight * row[i]
        for j in 0..<count { gram[i][j] += weight * row[i] * row[j] }
      }
    }
    for i in 0..<count {
      let pull = ridge / (priors[i] * priors[i])
      gram[i][i] += pull
      right[i] += pull * priors[i]
    }
    var costs = priors
    for _ in 0..<20_000 {
      var change = 0.0
      for i in 0..<count {
        var gradient = right[i]
        for j in 0..<count { gradient -= gram[i][j] * costs[j] }
        let next = max(0, costs[i] + gradient / gram[i][i])
        change = max(change, (next - costs[i]).magnitude)
        costs[i] = next
      }
      if change < 1e-6 { break }
    }
    return costs
  }
}

extension CostTable {
  /// How far the table is off for `observation`: 0.1 means 10 % too high.
  public func relativeError(on observation: CostFit.Observation) -> Double {
    guard observation.instructions > 0 else { return 0 }
    let modelled = observation.counts.reduce(0.0) { sum, entry in
      entry.key.isContentWork ? sum : sum + (costs[entry.key] ?? 0) * Double(entry.value)
    }
    return modelled / observation.instructions - 1
  }
}

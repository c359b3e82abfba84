// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
internal import Profiling
internal import VMM

/// What a replay of one trace on one driver gave, in the shape of `emt replay --json`.
public struct ReplayReport: Codable, Sendable, Equatable {
  /// Trace records by kind; a modify is one load and one store.
  public struct Accesses: Codable, Sendable, Equatable {
    public var fetch: UInt64 = 0
    public var load: UInt64 = 0
    public var store: UInt64 = 0
  }
  /// System calls.
  public struct SystemCalls: Codable, Sendable, Equatable {
    public var total: UInt64 = 0
    public var memory: UInt64 = 0
  }
  /// Page faults by how they ended.
  public struct Faults: Codable, Sendable, Equatable {
    public var minor: UInt64 = 0
    public var major: UInt64 = 0
    public var cow: UInt64 = 0
    public var huge: UInt64 = 0
    public var fatal: UInt64 = 0
  }
  /// A quantity that comes and goes.
  public struct Level: Codable, Sendable, Equatable {
    public var peak: UInt64 = 0
    public var final: UInt64 = 0
  }
  /// Modelled instructions.
  public struct Work: Codable, Sendable, Equatable {
    public var total: UInt64 = 0
    public var pageFault: UInt64 = 0
    public var systemCall: UInt64 = 0
    public var khugepaged: UInt64 = 0
    public var reclaim: UInt64 = 0
    public var other: UInt64 = 0
  }
  /// What the hardware did.
  public struct Translation: Codable, Sendable, Equatable {
    public var lookups: UInt64 = 0
    public var tlbMisses: UInt64 = 0
    public var walks: UInt64 = 0
    public var walkReferences: UInt64 = 0
    public var walkCycles: UInt64 = 0
  }

  public var schema = "emt.replay/1"
  public var driver: String
  public var trace: String
  public var thp = "never"
  public var processes = 0
  public var accesses = Accesses()
  public var syscalls = SystemCalls()
  public var divergences: UInt64 = 0
  public var valgrindAnswers: UInt64 = 0
  public var resourceRefusals: UInt64 = 0
  public var inferredPages: UInt64 = 0
  public var expectedRefusals: UInt64 = 0
  public var faults = Faults()
  public var mappedPages = Level()
  public var pageTableBytes = Level()
  public var kernelWork = Work()
  public var kernelWorkSource = "modelled"
  public var contentWork: UInt64 = 0
  public var contentDigest = ""
  public var translation = Translation()
  public var checks: UInt64 = 0
  public var disagreements: [String] = []
  public var divergenceNotes: [String] = []
  public var seconds: Double

  /// An empty report.
  public init(driver: String, trace: String, seconds: Double) {
    self.driver = driver
    self.trace = trace
    self.seconds = seconds
  }

  /// Takes over what a finished replay counted.
  @usableFromInline
  mutating func fill<Service: TranslationService, Walker: PageWalker>(
    from replay: Replay<Service, Walker>
  ) where Service.Root == Walker.Root {
    fill(from: replay.tally)
    accesses = Accesses(fetch: replay.fetches, load: replay.loads, store: replay.stores)
    mappedPages = Level(peak: replay.machine.kernel.peakResidentPages, final: replay.tally.finalPages)
    fill(from: replay.machine.platform.work - replay.workBefore)
    let statistics = replay.machine.units.reduce(into: AccessTotals()) { $0.add($1.mmu.statistics) }
    translation = Translation(
      lookups: statistics.lookups, tlbMisses: statistics.misses, walks: statistics.walks,
      walkReferences: statistics.references, walkCycles: statistics.cycles)
  }

  private mutating func fill(from tally: ReplayTally) {
    processes = tally.processes
    syscalls = SystemCalls(total: tally.systemCalls, memory: tally.memoryCalls)
    divergences = tally.divergences
    divergenceNotes = tally.divergenceNotes
    valgrindAnswers = tally.valgrindAnswers
    resourceRefusals = tally.resourceRefusals
    inferredPages = tally.inferredPages
    expectedRefusals = tally.expectedRefusals
    faults = Faults(
      minor: tally.faults.minor, major: tally.faults.major, cow: tally.faults.copyOnWrite,
      huge: tally.faults.huge, fatal: tally.fatalFaults)
    pageTableBytes = Level(peak: tally.peakTableBytes, final: tally.finalTableBytes)
    contentDigest = String(tally.contentDigest, radix: 16)
    checks = tally.checks
    disagreements = tally.disagreements
  }

  private mutating func fill(from work: KernelWork) {
    let table = CostTable.fitted(for: driver)
    kernelWork.pageFault = table.instructions(of: work, in: .pageFault)
    kernelWork.systemCall = table.instructions(of: work, in: .systemCall)
    kernelWork.khugepaged = table.instructions(of: work, in: .khugepaged)
    kernelWork.reclaim = table.instructions(of: work, in: .reclaim)
    kernelWork.other = table.instructions(of: work, in: .other)
    kernelWork.total =
      kernelWork.pageFault + kernelWork.systemCall + kernelWork.khugepaged + kernelWork.reclaim
      + kernelWork.other
    contentWork = table.contentInstructions(of: work)
  }
}

/// Sums of what several CPUs' hardware counted.
private struct AccessTotals {
  var lookups: UInt64 = 0
  var misses: UInt64 = 0
  var walks: UInt64 = 0
  var references: UInt64 = 0
  var cycles: UInt64 = 0

  mutating func add(_ statistics: TranslationStatistics) {
    let total = statistics.total
    lookups += total.lookups
    misses += total.misses
    walks += total.walks
    references += statistics.walkReferences
    cycles += statistics.walkCycles
  }
}

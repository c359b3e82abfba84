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
    /// Instruction fetches.
    public var fetch: UInt64 = 0
    /// Loads.
    public var load: UInt64 = 0
    /// Stores.
    public var store: UInt64 = 0
  }
  /// System calls.
  public struct SystemCalls: Codable, Sendable, Equatable {
    /// All together.
    public var total: UInt64 = 0
    /// Those that concern memory: they were performed and compared.
    public var memory: UInt64 = 0
  }
  /// Page faults by how they ended.
  public struct Faults: Codable, Sendable, Equatable {
    /// Resolved without storage or copying.
    public var minor: UInt64 = 0
    /// Resolved with contents from storage.
    public var major: UInt64 = 0
    /// Resolved by copy-on-write.
    public var cow: UInt64 = 0
    /// Resolved with a huge page.
    public var huge: UInt64 = 0
    /// Refused here although Linux allowed the access.
    public var fatal: UInt64 = 0
  }
  /// Transparent huge pages.
  public struct HugePages: Codable, Sendable, Equatable {
    /// Mapped by faults, huge pages of zeroes included.
    public var mapped: UInt64 = 0
    /// Faults that got a base page because no block was free.
    public var fallbacks: UInt64 = 0
    /// Split into base pages.
    public var splits: UInt64 = 0
    /// Made of base pages, in the background or by MADV_COLLAPSE.
    public var collapses: UInt64 = 0
  }
  /// A quantity that comes and goes.
  public struct Level: Codable, Sendable, Equatable {
    /// The most there ever was.
    public var peak: UInt64 = 0
    /// What there was when the last process ended.
    public var final: UInt64 = 0
  }
  /// Modelled instructions.
  public struct Work: Codable, Sendable, Equatable {
    /// All together.
    public var total: UInt64 = 0
    /// Serving page faults.
    public var pageFault: UInt64 = 0
    /// Serving system calls.
    public var systemCall: UInt64 = 0
    /// Collapsing huge pages in the background.
    public var khugepaged: UInt64 = 0
    /// Reclaiming memory in the background.
    public var reclaim: UInt64 = 0
    /// Everything else.
    public var other: UInt64 = 0
  }
  /// What reclaim did, in base pages.
  public struct Reclaim: Codable, Sendable, Equatable {
    /// Pages read from swap.
    public var swappedIn: UInt64 = 0
    /// Pages written to swap.
    public var swappedOut: UInt64 = 0
    /// Changed file pages written to storage.
    public var writtenBack: UInt64 = 0
    /// File pages read from storage again.
    public var readBack: UInt64 = 0
    /// Pages freed.
    public var reclaimed: UInt64 = 0
    /// Pages looked at.
    public var scanned: UInt64 = 0
  }
  /// What the hardware did.
  public struct Translation: Codable, Sendable, Equatable {
    /// Translations asked for.
    public var lookups: UInt64 = 0
    /// Translations that no TLB had.
    public var tlbMisses: UInt64 = 0
    /// Page walks.
    public var walks: UInt64 = 0
    /// Table words read by walks.
    public var walkReferences: UInt64 = 0
    /// Modelled cycles of walks.
    public var walkCycles: UInt64 = 0
  }

  /// The version of this shape.
  public var schema = "emt.replay/1"
  /// The driver.
  public var driver: String
  /// The run.
  public var trace: String
  /// The policy for transparent huge pages.
  public var thp = "never"
  /// Processes of the run.
  public var processes = 0
  /// Accesses.
  public var accesses = Accesses()
  /// System calls.
  public var syscalls = SystemCalls()
  /// Answers that differ from Linux's.
  public var divergences: UInt64 = 0
  /// Answers that valgrind gave itself and that differ from Linux's.
  public var valgrindAnswers: UInt64 = 0
  /// Refusals for lack of a resource that is not modelled, taken from the trace.
  public var resourceRefusals: UInt64 = 0
  /// Pages mapped because their use proved that the loader had mapped them.
  public var inferredPages: UInt64 = 0
  /// Accesses refused here and on Linux with the same code.
  public var expectedRefusals: UInt64 = 0
  /// Page faults.
  public var faults = Faults()
  /// Transparent huge pages.
  public var hugePages = HugePages()
  /// Base pages mapped and in memory.
  public var mappedPages = Level()
  /// Bytes of the processes' tables.
  public var pageTableBytes = Tables()
  /// Instructions of kernel work.
  public var kernelWork = Work()
  /// Where `kernelWork` comes from: "modelled" by the driver's own cost table, or by the radix tree's for drivers that
  /// were not calibrated.
  public var kernelWorkSource = "modelled"
  /// Modelled instructions spent on clearing and copying page contents.
  public var contentWork: UInt64 = 0
  /// A digest of all processes' memory when they ended.
  public var contentDigest = ""
  /// What the hardware did.
  public var translation = Translation()
  /// CPUs.
  public var cpus = 1
  /// Flushes that had to interrupt other CPUs.
  public var shootdowns: UInt64 = 0
  /// Interrupts of other CPUs by shootdowns.
  public var interrupts: UInt64 = 0
  /// What reclaim did.
  public var reclaim = Reclaim()
  /// Comparisons of driver, model and walker.
  public var checks: UInt64 = 0
  /// What they found.
  public var disagreements: [String] = []
  /// The first divergences in words.
  public var divergenceNotes: [String] = []
  /// How long the replay took.
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
    thp = replay.machine.kernel.hugePages.policy.rawValue
    let huge = replay.machine.kernel.hugePageCounts
    hugePages = HugePages(
      mapped: huge.mapped, fallbacks: huge.fallbacks, splits: huge.splits, collapses: huge.collapses)
    mappedPages = Level(peak: replay.machine.kernel.peakResidentPages, final: replay.tally.finalPages)
    let counts = replay.machine.kernel.reclaimCounts
    reclaim = Reclaim(
      swappedIn: counts.swappedIn, swappedOut: counts.swappedOut, writtenBack: counts.writtenBack,
      readBack: counts.readBack, reclaimed: counts.reclaimed, scanned: counts.scanned)
    fill(from: replay.machine.platform.work - replay.workBefore)
    cpus = replay.machine.units.count
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
    pageTableBytes = Tables(
      peak: tally.peakTableBytes, final: tally.finalTableBytes, largestProcess: tally.peakProcessTableBytes,
      peakByNode: tally.peakTableBytesByNode.isEmpty ? nil : tally.peakTableBytesByNode)
    contentDigest = String(tally.contentDigest, radix: 16)
    checks = tally.checks
    disagreements = tally.disagreements
  }

  private mutating func fill(from work: KernelWork) {
    let table = CostTable.fitted(for: driver)
    if !CostTable.isFitted(for: driver) { kernelWorkSource = "modelled with radix's costs" }
    kernelWork.pageFault = table.instructions(of: work, in: .pageFault)
    kernelWork.systemCall = table.instructions(of: work, in: .systemCall)
    kernelWork.khugepaged = table.instructions(of: work, in: .khugepaged)
    kernelWork.reclaim = table.instructions(of: work, in: .reclaim)
    kernelWork.other = table.instructions(of: work, in: .other)
    kernelWork.total =
      kernelWork.pageFault + kernelWork.systemCall + kernelWork.khugepaged + kernelWork.reclaim
      + kernelWork.other
    contentWork = table.contentInstructions(of: work)
    shootdowns = work[.shootdown]
    interrupts = work[.interrupt]
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

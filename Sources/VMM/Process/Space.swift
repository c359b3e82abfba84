// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

/// One address space: its layout, its translations, its counters. Threads and vfork children share one.
public final class Space<Database: TranslationDatabase> {
  @usableFromInline let layoutCell: HotCell<SpaceLayout>
  @usableFromInline let counters = HotCell(SpaceCounters())
  /// The translations.
  public let database: Database
  /// The space's number, by which groups and files know it.
  public let number: UInt16
  /// How many processes and threads use the space.
  public var users = 1

  /// An address space over `database`.
  @inlinable public init(database: Database, layout: SpaceLayout = SpaceLayout()) {
    self.database = database
    number = database.context.spaceID.raw
    layoutCell = HotCell(layout)
  }

  deinit {
    layoutCell.release()
    counters.release()
  }

  /// What is mapped where.
  @inlinable public var layout: SpaceLayout {
    _read { yield layoutCell.value }
    _modify { yield &layoutCell.value }
  }
  /// Base pages that are mapped and in memory.
  @inlinable public var residentPages: UInt64 {
    get { counters.value.residentPages }
    set { counters.value.residentPages = newValue }
  }
  /// The most there were since the space was made, or since the peak was reset (Linux: VmHWM). As in Linux it is noted when
  /// pages go, not when they come.
  @inlinable public internal(set) var peakResidentPages: UInt64 {
    get { Swift.max(counters.value.peakResidentPages, counters.value.residentPages) }
    set { counters.value.peakResidentPages = newValue }
  }
  /// Pages are about to go.
  @inlinable func notePeak() {
    if counters.value.residentPages > counters.value.peakResidentPages {
      counters.value.peakResidentPages = counters.value.residentPages
    }
  }
  /// Base pages of private memory that are in swap.
  @inlinable public var swappedPages: UInt64 {
    get { counters.value.swappedPages }
    set { counters.value.swappedPages = newValue }
  }
  /// Faults.
  @inlinable public var faults: FaultCounts {
    _read { yield counters.value.faults }
    _modify { yield &counters.value.faults }
  }
}

/// The counters of an address space.
@usableFromInline struct SpaceCounters {
  @usableFromInline var residentPages: UInt64 = 0
  @usableFromInline var peakResidentPages: UInt64 = 0
  @usableFromInline var swappedPages: UInt64 = 0
  @usableFromInline var faults = FaultCounts()
  @usableFromInline init() {}
}

/// A process: an address space and descriptors.
public final class Process<Database: TranslationDatabase> {
  /// The process's number.
  public let pid: UInt32
  /// Its address space.
  public internal(set) var space: Space<Database>
  /// Its descriptors.
  public var descriptors: DescriptorTable
  /// The directory that relative paths start from, as far as it is known.
  public var directory = ""
  /// The number of the user it runs as.
  public var user: UInt32 = 0
  /// What its thread may do with the memory of each protection key. Programs change it by an instruction.
  public var keyRights = KeyRights.initial
  /// What it may do beyond what its user may.
  public var privileges = Privileges.standard

  /// The largest peak of address spaces that it had before.
  var formerPeak: UInt64 = 0
  /// Faults in address spaces that it had before.
  var formerFaults = ProcessUsage()
  /// The faults of its address space when it joined that.
  var faultsAtStart: FaultCounts
  /// The process that made it; 0 for none.
  var parent: UInt32 = 0
  /// What its children that ended had used, and their children.
  public internal(set) var usageOfChildren = ProcessUsage()

  /// What it used.
  public var usage: ProcessUsage {
    var usage = formerFaults
    usage.add(space.faults, since: faultsAtStart)
    usage.peakResidentPages = peakResidentPages
    return usage
  }

  /// The most base pages that its memory ever had at once (Linux: `ru_maxrss`), as far as the peak was not reset.
  public var peakResidentPages: UInt64 { max(formerPeak, space.peakResidentPages) }

  @usableFromInline init(pid: UInt32, space: Space<Database>, descriptors: DescriptorTable) {
    self.pid = pid
    self.space = space
    self.descriptors = descriptors
    faultsAtStart = space.faults
  }

  @usableFromInline func move(to space: Space<Database>) {
    formerPeak = peakResidentPages
    formerFaults.add(self.space.faults, since: faultsAtStart)
    faultsAtStart = space.faults
    self.space = space
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// The simulated memory manager: what an operating system does for processes, on any translation driver.
///
/// Everything that touches translations is generic over the driver and inlinable, so that a program that names the
/// driver gets specialised code; layouts, files and errno rules are concrete. Nothing here knows a page table's shape.
public final class Kernel<Service: TranslationService> {
  /// The driver's databases.
  public typealias Database = Service.Database

  /// The machine.
  public let platform: Platform
  /// The driver.
  public let service: Service
  /// The CPU that kernel work is charged to.
  public let meter: KernelWorkMeter
  @usableFromInline let fileCell: HotCell<FileTable>
  @usableFromInline let counters: HotCell<KernelCounters>
  /// Address spaces by number.
  @usableFromInline let spaceCell = HotCell(ContiguousArray<Space<Database>?>())
  /// Groups of private pages.
  @usableFromInline let groupCell = HotCell(AnonymousGroups())
  /// Pages in the order in which reclaim looks at them.
  public let pageLists: PageLists
  /// Swap areas and what is in them.
  @usableFromInline let swapCell = HotCell(SwapSpace())
  /// Pools of huge pages, the smallest pages first.
  @usableFromInline let poolCell: HotCell<[HugePagePool]>
  /// The paths below which files are made of pooled huge pages, each ending in a slash.
  var hugePageMounts: [String: PageSize] = [:]
  /// Whether pools of huge pages grow whenever a program wants pages that they do not have: for programs that were recorded
  /// where there were enough.
  public var hugePoolsFollowDemand = false
  /// The user that may make huge segments without the privilege to lock memory (Linux: `vm.hugetlb_shm_group`).
  public var hugeSegmentUser: UInt32 = 0
  /// What reclaim decides by.
  @usableFromInline let reclaimCell: HotCell<ReclaimState>
  /// Equal pages that were merged.
  public let samePages = SamePages()
  /// Nodes and policies.
  @usableFromInline let numaCell: HotCell<NUMAState>
  /// Groups whose memory is limited.
  @usableFromInline let memoryGroups = HotCell(MemoryGroups())
  /// What the last shortage of memory was like; nil while there was none.
  public internal(set) var shortageReport: String?
  /// SysV shared-memory segments.
  public var segments = SegmentRegistry()
  /// The processes by number.
  public internal(set) var processes: [UInt32: Process<Database>] = [:]
  /// The frame that all untouched anonymous memory reads from.
  public let zeroFrame: FrameNumber
  /// How huge pages are used.
  public let hugePages: HugePageSettings
  /// The size of huge pages: the smallest that the driver offers above the base page; the base page if there is none.
  public let hugeSize: PageSize
  @usableFromInline var collapseCursor = CollapseCursor()
  /// Calls that were refused for no other reason than that the circumstances said so.
  public var verdictsUsed: UInt64 = 0
  /// The files that are userfaultfds.
  var userfaults: [FileID] = []
  /// Whether the hardware has protection keys.
  public var hasProtectionKeys = true
  /// How many pages of a file a load may map together, a power of two (Linux: 16, from `fault_around_bytes`). 1 maps only
  /// what is used: recorded faults are counted one by one.
  public var faultAroundPages: UInt64 = 1 {
    didSet { precondition(faultAroundPages.nonzeroBitCount == 1, "a window is a power of two of pages") }
  }
  /// How much memory may be promised to programs.
  public var overcommit = OvercommitSettings()
  /// The most areas that an address space can have (Linux: `vm.max_map_count`).
  public var maximumAreas = VMASet.maximumCount
  /// How often memory ran out: for a page, a copy or a table.
  public var timesOutOfMemory: UInt64 = 0
  /// The process that each CPU runs; nil while it has nothing to do, and on machines whose owner switches by himself.
  public internal(set) var running: [Process<Database>?]
  /// The kernel's own mappings.
  public var kernelMemory = KernelMemory()
  var freeSpaceIDs: [UInt16] = []
  var nextSpaceID: UInt16 = 1

  /// Boots a kernel on `platform`.
  /// - Throws: what the driver's `boot` throws, or `.outOfMemory`.
  public init(
    _ platform: Platform, options: DriverOptions = DriverOptions(),
    hugePages: HugePageSettings = HugePageSettings()
  ) throws(ServiceError) {
    self.platform = platform
    self.hugePages = hugePages
    meter = platform.cpu(0).meter
    running = Array(repeating: nil, count: platform.cpuCount)
    service = try Service.boot(platform, options: options)
    var didClear = false
    guard let zero = platform.frames.allocateZeroed(didClear: &didClear) else {
      service.shutDown()
      throw .outOfMemory
    }
    zeroFrame = zero
    hugeSize = service.pageSizes.all.first { $0 > .base } ?? .base
    fileCell = HotCell(FileTable())
    poolCell = HotCell(Self.makePools(service.pageSizes, nodes: platform.frames.nodeCount))
    counters = HotCell(KernelCounters())
    pageLists = PageLists(platform.frames)
    reclaimCell = HotCell(ReclaimState(platform.frames))
    numaCell = HotCell(NUMAState(nodes: platform.frames.nodeCount, cpus: platform.cpuCount))
    counters.value.placesPages = platform.frames.nodeCount > 1
    counters.value.userEnd = service.userEnd
    counters.value.alarm = reclaimCell.value.watermarks[0].low
    platform.frames.table.retain(zero)
  }

  deinit {
    fileCell.release()
    counters.release()
    spaceCell.release()
    groupCell.release()
    poolCell.release()
    swapCell.release()
    reclaimCell.release()
    numaCell.release()
    memoryGroups.release()
    pageLists.destroy()
  }

  /// Files and their page caches.
  @inlinable public var files: FileTable {
    _read { yield fileCell.value }
    _modify { yield &fileCell.value }
  }
  /// Base pages mapped and in memory in all address spaces.
  @inlinable public var residentPages: UInt64 {
    get { counters.value.residentPages }
    set { counters.value.residentPages = newValue }
  }
  /// The most there ever were.
  @inlinable public var peakResidentPages: UInt64 {
    get { counters.value.peakResidentPages }
    set { counters.value.peakResidentPages = newValue }
  }

  /// Makes addresses from `end` on no user addresses: for programs that were recorded on hardware with fewer address
  /// bits, where a call up there was refused.
  public func limitUserSpace(to end: VirtualAddress) {
    counters.value.userEnd = Swift.min(end, service.userEnd)
  }

  /// Behind the last user address. What the driver can translate, unless `limitUserSpace` says less.
  @inlinable public var userEnd: VirtualAddress { counters.value.userEnd }

  /// What happened with huge pages.
  @inlinable public internal(set) var hugePageCounts: HugePageCounts {
    _read { yield counters.value.hugePages }
    _modify { yield &counters.value.hugePages }
  }

  /// Ends all processes and gives every frame back.
  public func shutDown() {
    finishMigrations()
    for pid in processes.keys.sorted() { exit(pid) }
    for identifier in segments.segments.keys.sorted() { removeSegment(identifier) }
    files.unnameAll()
    for id in files.all { discardIfUnreachable(id) }
    if platform.frames.table.release(zeroFrame) == 0 { platform.frames.free(zeroFrame) }
    releaseHugeZeroBlock()
    releaseKernelMemory()
    releaseHugePools()
    service.shutDown()
  }

  /// The process with number `pid`.
  public func process(_ pid: UInt32) throws(Errno) -> Process<Database> {
    guard let process = processes[pid] else { throw .esrch }
    return process
  }

  /// All address spaces, each once, in order of their first process.
  public var spaces: [Space<Database>] {
    var seen: [Space<Database>] = []
    for pid in processes.keys.sorted() {
      guard let space = processes[pid]?.space, !seen.contains(where: { $0 === space }) else { continue }
      seen.append(space)
    }
    return seen
  }

  /// Bytes of the tables of all processes now; the kernel's own tables are not among them.
  public var tableBytes: UInt64 { spaces.reduce(0) { $0 + $1.database.footprint.total } }
}

/// The counters of a kernel.
@usableFromInline struct KernelCounters {
  @usableFromInline var residentPages: UInt64 = 0
  @usableFromInline var peakResidentPages: UInt64 = 0
  @usableFromInline var pagesMappedAround: UInt64 = 0
  /// Pages promised.
  @usableFromInline var committedPages: UInt64 = 0
  @usableFromInline var hugePages = HugePageCounts()
  @usableFromInline var hugeZeroHead: FrameNumber?
  /// Free frames below which the background reclaimer runs.
  @usableFromInline var alarm: UInt64 = 0
  @usableFromInline var userEnd = VirtualAddress(0)
  /// Whether there are several nodes, or groups, so that it matters where a page comes from and for whom it is.
  @usableFromInline var placesPages = false
  /// Whether pages are made inaccessible to see who uses them.
  @usableFromInline var seesHints = false
  @usableFromInline var usesHugeTLB = false
  /// Whether a device was ever mapped.
  @usableFromInline var usesDevices = false
  /// Whether there ever was a userfaultfd, so that changes of layouts may be worth telling.
  @usableFromInline var watchesLayout = false
  @usableFromInline init() {}
}

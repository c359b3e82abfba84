// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
public import VMM

/// How an access of a program ended.
public enum Access: Equatable, Sendable {
  /// The byte that was loaded or stored.
  case byte(UInt8)
  /// A signal.
  case refused(FaultRefusal)
  /// Memory ran out.
  case outOfMemory
  /// A monitor has to provide the page first.
  case waits(UserfaultReason)
  /// It faulted again and again: the hardware does not see what the kernel mapped.
  case endless
}

/// The translation of one address, as the driver's database has it.
public struct PageView: Equatable, Sendable {
  /// Whether anything is mapped, in memory or in swap.
  public var isMapped = false
  /// Whether it is in memory.
  public var isPresent = false
  /// Whether it is the page of zeroes.
  public var isZeroPage = false
  /// The page's size.
  public var size = PageSize.base
  /// Whether a store needs no fault.
  public var isWritable = false
  /// Whether it was used.
  public var isAccessed = false
  /// Whether it was written.
  public var isDirty = false
}

/// A booted machine on some driver, as scenarios see it: without the driver's types, so that cases are compiled once.
///
/// Processes are named by number. Everything that a case does goes through here.
public protocol ScenarioHost: AnyObject {
  /// Starts process `pid` with nothing mapped.
  func start(_ pid: UInt32) throws(Errno)
  /// Makes a child with a copy of the parent's memory.
  func fork(_ pid: UInt32, child: UInt32) throws(Errno)
  /// Makes a child that uses the parent's memory (CLONE_VM).
  func share(_ pid: UInt32, child: UInt32) throws(Errno)
  /// Gives a child that uses its parent's memory a copy.
  func unshare(_ pid: UInt32) throws(Errno)
  /// Replaces the process's memory by an empty one.
  func execute(_ pid: UInt32) throws(Errno)
  /// Ends a process.
  func exit(_ pid: UInt32)
  /// Performs a system call of a process on a CPU.
  func call(_ pid: UInt32, on cpu: Int, _ request: SystemCallRequest) throws(Errno) -> UInt64
  /// Follows a call on files.
  func follow(_ pid: UInt32, _ call: FileCall)
  /// Loads a byte, stores `value`, or fetches, through the CPU's own hardware; faults are served.
  func access(_ pid: UInt32, on cpu: Int, _ kind: AccessKind, _ address: UInt64, _ value: UInt8) -> Access
  /// `read` or `write` with bytes, see `Kernel.moveFileBytes`.
  func moveFileBytes(
    _ pid: UInt32, _ descriptor: UInt32, _ address: UInt64, count: UInt64, at offset: UInt64?,
    _ kind: AccessKind
  ) throws(Errno) -> UInt64
  /// The kernel reads or writes user memory, see `Kernel.copyUser`.
  func copyUser(_ pid: UInt32, _ range: VirtualRange, _ kind: AccessKind) throws(Errno)

  /// The layout of the process's memory.
  func layout(_ pid: UInt32) -> SpaceLayout
  /// Counted faults.
  func faults(_ pid: UInt32) -> FaultCounts
  /// Resident, peak and swapped pages.
  func counts(_ pid: UInt32) -> (resident: UInt64, peak: UInt64, swapped: UInt64)
  /// Bytes in use, by area (smaps).
  func memoryUse(_ pid: UInt32) -> [(area: VMA, use: MemoryUse)]
  /// The bits of /proc/PID/pagemap.
  func pageMap(_ pid: UInt32, _ range: VirtualRange) -> [PageMapEntry]
  /// What `clear_refs` does.
  func clearReferences(_ pid: UInt32, _ kind: ClearedReferences)
  /// Pages of a range that mincore reports.
  func residentPages(_ pid: UInt32, _ range: VirtualRange) -> UInt64
  /// The translation of an address.
  func page(_ pid: UInt32, _ address: UInt64) -> PageView
  /// The node of the page at an address.
  func node(_ pid: UInt32, _ address: UInt64) -> Int?
  /// Nodes that the process may use (cpuset).
  func allow(_ pid: UInt32, _ nodes: NodeSet, migrates: Bool) throws(Errno)
  /// Shares pages of files that the process reads out over its nodes (cpuset.memory_spread_page).
  func spreadFilePages(_ pid: UInt32, _ isOn: Bool)
  /// The open file behind a descriptor.
  func openFile(_ pid: UInt32, _ descriptor: UInt32) -> OpenFile?
  /// User, privileges and key rights.
  func credentials(_ pid: UInt32) -> Credentials
  /// Changes them.
  func setCredentials(_ pid: UInt32, _ credentials: Credentials)
  /// Takes the next event of a userfaultfd.
  func userfaultEvent(_ pid: UInt32, _ descriptor: UInt32) throws(Errno) -> UserfaultEvent?
  /// Whether an access has to wait for a monitor still.
  func isWaiting(_ pid: UInt32, _ address: UInt64) -> Bool

  /// The kernel's files.
  var files: FileTable { get }
  /// Bytes of a file.
  func readFile(_ id: FileID, at offset: UInt64, count: UInt64) throws(Errno) -> [UInt8]
  /// Puts bytes into a file.
  func writeFile(_ id: FileID, at offset: UInt64, _ bytes: [UInt8]) throws(Errno)

  /// What an administrator can see and set.
  var administration: any Administration { get }
  /// The page sizes of the driver.
  var pageSizes: PageSizes { get }
  /// Behind the last user address.
  var userEnd: UInt64 { get }
  /// Frames that nobody uses.
  var freeFrames: UInt64 { get }
  /// Makes the n-th frame allocation from now fail, and all later ones if it stays broken; nil ends that.
  func injectFailure(after successes: Int?, staysBroken: Bool)

  /// Checks what must hold at any time: areas, counts, reverse map, TLBs, and that hardware sees what the database says.
  /// - Returns: what is wrong.
  func findings() -> [String]
  /// Ends everything.
  /// - Returns: what is left over.
  func shutDown() -> [String]
}

/// Who a process is and what it may do.
public struct Credentials: Equatable, Sendable {
  /// The number of the user.
  public var user: UInt32
  /// Beyond what the user may.
  public var privileges: Privileges
  /// The register of protection keys.
  public var keyRights: KeyRights
}

/// The kernel as its administrator sees it: swap, pools, settings, background jobs.
public protocol Administration: MemoryGroupAdministration {
  /// Adds a swap area, see `Kernel.swapOn`.
  func swapOn(pages: UInt64, priority: Int) throws(Errno) -> Int
  /// Removes a swap area.
  func swapOff(_ number: Int) throws(Errno)
  /// Used slots of all areas.
  var usedSwap: UInt64 { get }
  /// Reclaims up to `count` pages of a node.
  func reclaim(node: Int, count: UInt64) -> UInt64
  /// How reclaim chooses pages.
  var reclaimPolicy: ReclaimPolicy { get set }
  /// Whether the largest process ends when memory runs out.
  var killsWhenShort: Bool { get set }
  /// Pages in turn that each node gives to MPOL_WEIGHTED_INTERLEAVE.
  var interleaveWeights: [UInt64] { get set }
  /// Sets the distance between two nodes, both ways.
  func setDistance(_ one: Int, _ other: Int, _ distance: Int)
  /// Free frames of a node.
  func freeFrames(node: Int) -> UInt64
  /// Sets the size of a pool of huge pages.
  func setHugePages(_ size: PageSize, _ count: UInt64) throws(Errno) -> UInt64
  /// Lets a pool grow on demand.
  func setHugePageOvercommit(_ size: PageSize, _ count: UInt64) throws(Errno)
  /// A pool's counters.
  func hugePagePool(_ size: PageSize) throws(Errno) -> HugePageCounters
  /// A node's part of a pool.
  func hugePagePool(_ size: PageSize, node: Int) throws(Errno) -> (total: UInt64, free: UInt64)
  /// Files below a path are made of huge pages.
  func mountHugePages(_ size: PageSize, at path: String) throws(Errno)
  /// One pass of the job that makes huge pages.
  func collapseInBackground() -> UInt64
  /// What happened with huge pages.
  var hugePageCounts: HugePageCounts { get }
  /// Starts or stops merging.
  func setMergeMode(_ mode: MergeMode) throws(Errno)
  /// Looks at pages that may be merged.
  func mergeSamePages(pages: UInt64) -> UInt64
  /// Whether pages of different nodes may be merged.
  func setMergesAcrossNodes(_ isOn: Bool) throws(Errno)
  /// Merged pages.
  var samePages: SamePages { get }
  /// How much memory may be promised.
  var overcommit: OvercommitSettings { get set }
  /// Pages promised.
  var committedPages: UInt64 { get }
  /// The most areas a process can have.
  var maximumAreas: Int { get set }
  /// The most segments there can be.
  var maximumSegments: Int { get set }
  /// Segments of shared memory.
  var segments: SegmentRegistry { get }
  /// Whether the hardware has protection keys.
  var hasProtectionKeys: Bool { get set }
  /// How many pages of a file a load may map together.
  var faultAroundPages: UInt64 { get set }
  /// Marks pages for hinting faults.
  func markForHints() -> UInt64
  /// How attractive a process is to be killed when memory is short.
  func badness(_ pid: UInt32) -> UInt64
  /// Processes that exist.
  var processes: [UInt32] { get }
}

// SPDX-License-Identifier: MIT
public import SimMemory
public import Synchronization

/// What EMTCore keeps for every database, so that neutral defaults have somewhere to keep their state: the default
/// lock, the move generation, and which CPUs run on it.
///
/// A handle; whoever made it calls `destroy` after the database was destroyed. `cpu` names the CPU in whose name
/// work is done through this handle: copy the database and change it to work for another CPU.
///
/// SAFETY: the state lives until `destroy`; all of it is atomic.
@safe @frozen public struct DatabaseContext: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline struct State: ~Copyable {
    @usableFromInline let lock = Atomic<UInt64>(0)
    @usableFromInline let generation = Atomic<UInt64>(DatabaseContext.firstGeneration())
    @usableFromInline let runningOn = Atomic<UInt64>(0)
    @usableFromInline let visited = Atomic<UInt64>(0)
    @usableFromInline let stale = Atomic<UInt64>(0)
    @usableFromInline let resting = Atomic<UInt64>(0)
    @usableFromInline let node: Atomic<Int>
    init(node: Int) { self.node = Atomic(node) }
  }
  @usableFromInline let state: UnsafeMutablePointer<State>
  /// The machine. Frames that are taken through it count as table memory of this database.
  public let platform: Platform
  /// The tag of the address space in TLBs.
  public let spaceID: AddressSpaceID
  /// The page sizes of the service.
  public let pageSizes: PageSizes
  /// The CPU that works through this handle.
  public var cpu: CPULocal

  /// A context for a new address space.
  public init(
    platform: Platform, spaceID: AddressSpaceID, pageSizes: PageSizes, node: Int = 0, cpu: Int = 0
  ) {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State(node: node))
    let tables = NodeTally(nodes: platform.frames.nodeCount)
    self.platform = platform.with(platform.frames.counting(with: tables))
    self.spaceID = spaceID
    self.pageSizes = pageSizes
    self.cpu = platform.cpu(cpu)
  }

  /// Frees the context's state. The database is destroyed and no other handle is used any more.
  public func destroy() {
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
    tables.release()
  }

  /// What the database's own structures hold on each NUMA node.
  public var tables: NodeTally {
    guard let tally = platform.frames.tally else { preconditionFailure("a context counts what it takes") }
    return tally
  }

  /// The NUMA node from which tables are to be allocated. The memory manager changes it with the policy of whoever needs
  /// a table; drivers pass it on with every allocation.
  @inlinable public var node: Int {
    get { unsafe state.pointee.node.load(ordering: .relaxed) }
    nonmutating set { unsafe state.pointee.node.store(newValue, ordering: .relaxed) }
  }

  /// The meter of the CPU that works through this handle.
  @inlinable @inline(__always) public var meter: KernelWorkMeter { cpu.meter }

  /// The default lock of the database.
  @inlinable public var lock: LockWord {
    unsafe LockWord(UnsafeMutableRawPointer(state).assumingMemoryBound(to: Atomic<UInt64>.self))
  }

  /// Changes whenever entries moved or a place for entries was freed: locations from before are stale then.
  ///
  /// No two contexts ever have the same generation, so that an object found in one database and given to another one
  /// (fork does that) is never taken for one that knows its place there.
  @inlinable public var generation: UInt64 {
    unsafe state.pointee.generation.load(ordering: .acquiring)
  }

  /// The first of 2^32 generations that no other context has.
  @usableFromInline static func firstGeneration() -> UInt64 {
    contexts.wrappingAdd(1, ordering: .relaxed).newValue &<< 32
  }
  private static let contexts = Atomic<UInt64>(0)

  /// Makes all locations remembered so far stale.
  @inlinable public func advanceGeneration() {
    unsafe _ = state.pointee.generation.wrappingAdd(1, ordering: .acquiringAndReleasing)
  }

  /// The CPUs that run on the database now, as bits.
  @inlinable public var runningOn: UInt64 { unsafe state.pointee.runningOn.load(ordering: .acquiring) }

  /// The CPUs that may hold translations of the database although they run on another one now.
  @inlinable public var visitedBefore: UInt64 {
    unsafe state.pointee.visited.load(ordering: .acquiring) & ~runningOn
  }

  /// Notes that `cpu` runs on the database from now on.
  /// - Returns: whether it missed a flush while it was away, and must forget the whole space now.
  public func arrive(_ cpu: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(cpu)
    unsafe _ = state.pointee.runningOn.bitwiseOr(bit, ordering: .acquiringAndReleasing)
    unsafe _ = state.pointee.visited.bitwiseOr(bit, ordering: .acquiringAndReleasing)
    unsafe _ = state.pointee.resting.bitwiseAnd(~bit, ordering: .acquiringAndReleasing)
    return unsafe state.pointee.stale.bitwiseAnd(~bit, ordering: .acquiringAndReleasing).oldValue & bit != 0
  }

  /// Notes that `cpu` runs on another database from now on. Its TLB keeps this one's translations.
  public func leave(_ cpu: Int) {
    unsafe _ = state.pointee.runningOn.bitwiseAnd(~(1 << UInt64(cpu)), ordering: .acquiringAndReleasing)
    unsafe _ = state.pointee.resting.bitwiseAnd(~(1 << UInt64(cpu)), ordering: .acquiringAndReleasing)
  }

  /// Notes that `cpu`, which runs on the database, has nothing to do. Its registers stay as they are, and no flush
  /// interrupts it: it uses no address of the space before `resume` (Linux: lazy TLB mode).
  public func rest(_ cpu: Int) {
    let bit: UInt64 = 1 << UInt64(cpu)
    let before = unsafe state.pointee.runningOn.bitwiseAnd(~bit, ordering: .acquiringAndReleasing).oldValue
    guard before & bit != 0 else { return }
    unsafe _ = state.pointee.resting.bitwiseOr(bit, ordering: .acquiringAndReleasing)
  }

  /// The CPUs that rest on the database, as bits.
  @inlinable public var restingOn: UInt64 { unsafe state.pointee.resting.load(ordering: .acquiring) }

  /// Whether `cpu` missed a flush while it was away, and will forget the space when it comes back.
  public func hasMissedFlush(_ cpu: Int) -> Bool {
    unsafe state.pointee.stale.load(ordering: .acquiring) >> UInt64(cpu) & 1 == 1
  }

  /// Notes that CPUs that are away missed a flush.
  @inlinable public func markAbsentStale() {
    let absent = visitedBefore
    guard absent != 0 else { return }
    unsafe _ = state.pointee.stale.bitwiseOr(absent, ordering: .acquiringAndReleasing)
  }
}

// SPDX-License-Identifier: MIT
internal import Mutations

/// A handle to the buddy allocator over simulated physical memory, one set of lists per NUMA node.
///
/// Blocks are naturally aligned, 2^0 to 2^20 frames (4 KiB to 4 GiB). All metadata is in the flat frame table.
/// Safe to use from several threads: each node has a lock.
@safe @frozen public struct FrameAllocator: @unchecked Sendable, BitwiseCopyable {
  /// The per-frame records.
  public let table: FrameTable
  /// The memory that is handed out.
  public let memory: PhysicalMemory
  @usableFromInline let nodes: UnsafeMutablePointer<NodeState>
  @usableFromInline let locks: UnsafeMutablePointer<UInt64>
  @usableFromInline let plan: UnsafeMutablePointer<FailurePlan>
  /// How many NUMA nodes there are.
  public let nodeCount: Int
  @usableFromInline let framesPerNode: UInt64
  /// Counts what goes through this handle; nil for most handles.
  public internal(set) var tally: NodeTally?

  @usableFromInline init(
    table: FrameTable, memory: PhysicalMemory, nodes: UnsafeMutablePointer<NodeState>,
    locks: UnsafeMutablePointer<UInt64>, plan: UnsafeMutablePointer<FailurePlan>, nodeCount: Int,
    framesPerNode: UInt64
  ) {
    self.table = table
    self.memory = memory
    unsafe self.nodes = unsafe nodes
    unsafe self.locks = unsafe locks
    unsafe self.plan = unsafe plan
    self.nodeCount = nodeCount
    self.framesPerNode = framesPerNode
  }

  /// The NUMA node that owns `frame`.
  @inlinable public func node(of frame: FrameNumber) -> Int {
    nodeCount == 1 ? 0 : Int(frame.raw / framesPerNode)
  }

  /// Takes one frame, from `node` if it has one, else from the next node that has.
  ///
  /// The frame's contents are undefined; see `allocateZeroed`.
  /// - Returns: a frame without holders, or nil when memory is exhausted or a failure was injected.
  @inlinable public func allocate(node: Int = 0) -> FrameNumber? {
    let frame = take(node: node)
    if tally != nil { note(frame, order: 0) }
    return frame
  }

  @inlinable func take(node: Int) -> FrameNumber? {
    lock(node)
    defer { unlock(node) }
    if unsafe plan.pointee.shouldFail() { return nil }
    if unsafe nodes[node].cached > 0 {
      unsafe nodes[node].cached &-= 1
      let frame = unsafe nodes[node].cache[nodes[node].cached]
      unsafe nodes[node].freeFrames &-= 1
      unsafe table.records[Int(frame)].state = FrameState.allocated.rawValue
      return FrameNumber(UInt64(frame))
    }
    return allocateSlowly(order: 0, node: node)
  }

  /// Takes an aligned block of 2^`order` frames.
  /// - Returns: the block's first frame, or nil when no such block is free or a failure was injected.
  public func allocate(order: Int, node: Int = 0) -> FrameNumber? {
    precondition(order >= 0 && order <= NodeState.maximumOrder, "no block is that large")
    guard order > 0 else { return allocate(node: node) }
    lock(node)
    defer { unlock(node) }
    if unsafe plan.pointee.shouldFail() { return nil }
    let frame = allocateSlowly(order: order, node: node)
    if tally != nil { note(frame, order: order) }
    return frame
  }

  /// Gives a frame back. Nobody holds or maps it.
  @inlinable public func free(_ frame: FrameNumber) {
    if tally != nil { noteFree(frame, order: 0) }
    let node = node(of: frame)
    lock(node)
    defer { unlock(node) }
    checkIsIdle(frame)
    unsafe nodes[node].freeFrames &+= 1
    if unsafe nodes[node].cached < NodeState.cacheCapacity {
      unsafe nodes[node].cache[nodes[node].cached] = UInt32(truncatingIfNeeded: frame.raw)
      unsafe nodes[node].cached &+= 1
      unsafe table.records[Int(frame.raw)].state = FrameState.cached.rawValue
    } else {
      insert(frame, order: 0, node: node)
    }
  }

  /// Gives a block of 2^`order` frames back.
  public func free(_ frame: FrameNumber, order: Int) {
    guard order > 0 else { return free(frame) }
    if tally != nil { noteFree(frame, order: order) }
    let node = node(of: frame)
    lock(node)
    defer { unlock(node) }
    checkIsIdle(frame)
    precondition(unsafe Int(table.records[Int(frame.raw)].order) == order, "block freed with another order")
    unsafe nodes[node].freeFrames &+= 1 &<< UInt64(order)
    if Mutation.blockCountedShort.isPlanted { unsafe nodes[node].freeFrames &-= 1 }
    insert(frame, order: order, node: node)
  }

  /// Makes single frames of an allocated block of 2^`order` frames: each is given back alone from now on, and free
  /// neighbours become blocks again. Nothing is said about who holds or maps which frame: that is the caller's business.
  public func cut(_ frame: FrameNumber, order: Int) {
    let node = node(of: frame)
    lock(node)
    defer { unlock(node) }
    precondition(
      unsafe table.records[Int(frame.raw)].state == FrameState.allocated.rawValue
        && Int(table.records[Int(frame.raw)].order) == order, "only an allocated block can be cut, as a whole"
    )
    for step in 0..<(1 &<< UInt64(order)) {
      unsafe table.records[Int(frame.raw &+ step)].state = FrameState.allocated.rawValue
      unsafe table.records[Int(frame.raw &+ step)].order = 0
    }
  }

  /// Takes a frame whose bytes are zero.
  ///
  /// - Parameter didClear: set to whether bytes had to be cleared; memory that was never used is born zero.
  @inlinable public func allocateZeroed(node: Int = 0, didClear: inout Bool) -> FrameNumber? {
    guard let frame = allocate(node: node) else { return nil }
    didClear = clearIfUsed(frame, frames: 1)
    return frame
  }

  /// Free frames on `node`, cached ones included.
  @inlinable public func freeFrames(node: Int) -> UInt64 { unsafe nodes[node].freeFrames }

  /// Free frames on all nodes.
  public var freeFrames: UInt64 { (0..<nodeCount).reduce(0) { $0 + freeFrames(node: $1) } }

  /// Makes the allocation after the next `successes` ones fail; with `staysBroken`, all later ones too.
  public func injectFailure(after successes: Int, staysBroken: Bool = false) {
    unsafe plan.pointee = FailurePlan(countdown: Int64(successes), staysBroken: staysBroken)
  }

  /// Ends failure injection.
  /// - Returns: how many allocations were asked for since it began.
  @discardableResult public func stopInjectingFailures() -> UInt64 {
    let requests = unsafe plan.pointee.requests
    unsafe plan.pointee = FailurePlan()
    return requests
  }
}

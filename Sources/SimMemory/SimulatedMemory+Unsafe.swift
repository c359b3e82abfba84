// SPDX-License-Identifier: MIT
internal import Synchronization

/// Owns simulated physical memory, its frame table and its allocator, and frees them at the end.
///
/// Everything is host address space reserved without commitment: 4 TiB of simulated memory cost nothing until
/// frames are touched. Handles (`memory`, `allocator`) must not outlive the owner.
@safe public final class SimulatedMemory: @unchecked Sendable {
  /// How much there is.
  public let geometry: MemoryGeometry
  /// The bytes.
  public let memory: PhysicalMemory
  /// Who hands out frames.
  public let allocator: FrameAllocator

  private let arena: HostMapping
  private let records: HostMapping
  private let log = AccessLogSlot()
  private let locks: UnsafeMutablePointer<UInt64>

  /// Reserves the memory and puts all frames but frame 0 on the free lists.
  public init(_ geometry: MemoryGeometry) throws(ArenaError) {
    let block = PageSize.twoMiB
    guard geometry.bytes > 0, geometry.bytes & block.mask == 0,
      geometry.bytes <= PhysicalMemory.maximumBytes
    else { throw .badSize(bytes: geometry.bytes) }
    guard geometry.nodes >= 1, geometry.nodes <= 64,
      geometry.bytes / UInt64(geometry.nodes) >= block.bytes
    else { throw .badNodeCount(geometry.nodes) }
    self.geometry = geometry
    let frames = geometry.bytes >> 12
    unsafe arena = try unsafe HostMapping(bytes: geometry.bytes)
    do {
      unsafe records = try unsafe HostMapping(bytes: frames * UInt64(MemoryLayout<FrameInfo>.stride))
    } catch {
      unsafe arena.release()
      throw error
    }
    memory = unsafe PhysicalMemory(base: arena.base, bytes: geometry.bytes, agent: .software, log: log)
    let table = unsafe FrameTable(
      records: records.base.bindMemory(to: FrameInfo.self, capacity: Int(frames)), count: frames)
    let perNode = frames / UInt64(geometry.nodes) & ~511
    let nodes = UnsafeMutablePointer<NodeState>.allocate(capacity: geometry.nodes)
    for node in 0..<geometry.nodes {
      let first = UInt64(node) * perNode
      let end = node == geometry.nodes - 1 ? frames : first + perNode
      unsafe (nodes + node).initialize(
        to: NodeState(first: UInt32(truncatingIfNeeded: max(first, 1)), end: UInt32(truncatingIfNeeded: end)))
    }
    // One lock for each node, the count of cleared frames, and the order in which nodes stand in for each node.
    let words = geometry.nodes + 1 + geometry.nodes * geometry.nodes
    unsafe locks = .allocate(capacity: words)
    unsafe locks.initialize(repeating: 0, count: words)
    let plan = UnsafeMutablePointer<FailurePlan>.allocate(capacity: 1)
    unsafe plan.initialize(to: FailurePlan())
    allocator = unsafe FrameAllocator(
      table: table, memory: memory, nodes: nodes, locks: locks, plan: plan, nodeCount: geometry.nodes,
      framesPerNode: perNode)
    allocator.setFallback { _, _ in 20 }
    allocator.seedFreeLists()
  }

  /// Lets `log` see every access to a table word from now on; nil ends it. Debug builds only.
  public func attach(log: AccessLog?) { self.log.attach(log) }

  deinit {
    unsafe allocator.nodes.deallocate()
    unsafe allocator.plan.deallocate()
    unsafe locks.deallocate()
    log.release()
    unsafe arena.release()
    unsafe records.release()
  }
}

extension FrameAllocator {
  /// Cuts every node's range into the largest aligned blocks.
  func seedFreeLists() {
    for node in 0..<nodeCount {
      var next = unsafe UInt64(nodes[node].first)
      let end = unsafe UInt64(nodes[node].end)
      while next < end {
        var order = min(next.trailingZeroBitCount, NodeState.maximumOrder)
        while next + (1 << UInt64(order)) > end { order -= 1 }
        link(UInt32(truncatingIfNeeded: next), order: order, node: node)
        unsafe nodes[node].freeFrames += 1 << UInt64(order)
        next += 1 << UInt64(order)
      }
    }
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// Where the next page is to come from.
@usableFromInline struct Aim: Sendable {
  /// What decides.
  var policy = MemoryPolicy.standard
  /// The place of the page in its object, in base pages, by which interleaving goes; nil takes the task's turn.
  var place: UInt64?
  /// The nodes that the task may use.
  var allowed = NodeSet(.max)
  /// The node of the CPU that asks.
  var local = 0
  /// The number of the address space whose task asks.
  var space: UInt16 = 0
  @usableFromInline init() {}
}

/// What the memory manager keeps about NUMA.
@usableFromInline struct NUMAState: Sendable {
  var map: NodeMap
  /// Policies by number; 0 is none. Equal policies have one number, so that areas with equal policies can merge.
  private(set) var policies: ContiguousArray<MemoryPolicy> = [.standard]
  private var numbers: [MemoryPolicy: UInt16] = [.standard: 0]
  /// How many pages in turn each node gives to weighted interleaving.
  var weights: [UInt64]
  var aim = Aim()
  /// The policy of processes that nobody forked.
  var initialPolicy = MemoryPolicy.standard
  /// Pages on their way, by number.
  @usableFromInline var migrations: [UInt64: Migration] = [:]
  var nextMigration: UInt64 = 1
  var counts: NUMACounts
  @usableFromInline var balancing = BalancingSettings()
  /// The node from which a page was used when its last hinting fault came, by the page's key.
  var lastUsers: [UInt64: UInt8] = [:]
  var hintCursor = CollapseCursor()

  init(nodes: Int, cpus: Int) {
    map = NodeMap(nodes: nodes, cpus: cpus)
    weights = Array(repeating: 1, count: nodes)
    counts = NUMACounts(nodes: nodes)
  }

  /// The number of a policy.
  /// - Throws: `.enomem` when there are 65,535 different ones.
  mutating func number(of policy: MemoryPolicy) throws(Errno) -> UInt16 {
    if let known = numbers[policy] { return known }
    guard policies.count <= Int(UInt16.max) else { throw .enomem }
    let number = UInt16(policies.count)
    policies.append(policy)
    numbers[policy] = number
    return number
  }
}

/// A page on its way from one frame to another.
@usableFromInline struct Migration: Sendable {
  /// The frame that held the page.
  @usableFromInline var source: FrameNumber
  /// The frame that will hold it; nil once it is known where the page stays.
  @usableFromInline var target: FrameNumber?
  /// The binary logarithm of its base pages.
  @usableFromInline var order: Int
  /// How many translations it had.
  @usableFromInline var entries = 0
  @usableFromInline init(source: FrameNumber, target: FrameNumber, order: Int) {
    self.source = source
    self.target = target
    self.order = order
  }
}

/// What happened with nodes since boot (Linux: `/proc/vmstat` and `numastat`).
public struct NUMACounts: Sendable, Equatable {
  /// Pages that came from the node that was wanted, by node.
  public var hits: [UInt64]
  /// Pages that came from a node although another was wanted.
  public var misses: [UInt64]
  /// Base pages that were moved to another frame.
  public var migrated: UInt64 = 0
  /// Attempts to move a page that failed.
  public var failed: UInt64 = 0
  /// Pages that were marked so that their next use faults.
  public var hinted: UInt64 = 0
  /// Faults on such pages.
  public var hintFaults: UInt64 = 0
  /// Those of them that came from the page's own node.
  public var localHintFaults: UInt64 = 0
  /// Base pages that moved to the node of their user because of such faults.
  public var hintMigrated: UInt64 = 0

  init(nodes: Int) {
    hits = Array(repeating: 0, count: nodes)
    misses = hits
  }
}

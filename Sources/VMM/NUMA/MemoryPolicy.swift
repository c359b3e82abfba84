// SPDX-License-Identifier: MIT

/// What a memory policy does, with Linux's numbers (MPOL_*).
@frozen public enum PolicyMode: UInt8, Sendable, BitwiseCopyable {
  /// What applies anyway: the task's policy for an area, the local node for a task.
  case standard = 0
  /// From one node if it has memory.
  case preferred = 1
  /// From some nodes and no others.
  case bind = 2
  /// Page by page from one node after the other.
  case interleave = 3
  /// From the node of the CPU that asks.
  case local = 4
  /// From some nodes if they have memory.
  case preferredMany = 5
  /// As `interleave`, but a node gets as many pages in turn as its weight says.
  case weightedInterleave = 6
}

/// Where pages are to come from. A small value; areas name one by its number in the kernel's table.
@frozen public struct MemoryPolicy: Sendable, Hashable, BitwiseCopyable {
  /// What it does.
  public var mode: PolicyMode
  /// MPOL_F_* bits that came with the mode: static nodes 0x8000, relative nodes 0x4000, balancing 0x2000.
  public var flags: UInt16
  /// The nodes that count now.
  public var nodes: NodeSet
  /// With one of the flags the nodes that the program named; else those that were allowed when `nodes` was found.
  public var origin: NodeSet
  /// The node that counts as the local one (set_mempolicy_home_node); -1 for none.
  public var home: Int8 = -1

  /// A policy.
  @inlinable
  public init(_ mode: PolicyMode, nodes: NodeSet = .none, flags: UInt16 = 0, origin: NodeSet = .none) {
    self.mode = mode
    self.flags = flags
    self.nodes = nodes
    self.origin = origin
  }

  /// Page by page from one node after the other.
  public init(interleaving nodes: NodeSet) { self.init(.interleave, nodes: nodes, origin: nodes) }

  /// No policy of its own.
  @inlinable public static var standard: Self { Self(.standard) }

  /// MPOL_F_STATIC_NODES: the nodes stay what the program named.
  @inlinable static var staticNodes: UInt16 { 1 << 15 }
  /// MPOL_F_RELATIVE_NODES: the nodes are positions among those allowed.
  @inlinable static var relativeNodes: UInt16 { 1 << 14 }
  /// MPOL_F_NUMA_BALANCING: pages may move to where they are used, inside the nodes.
  @inlinable static var balancing: UInt16 { 1 << 13 }
  @inlinable static var modeFlags: UInt16 { staticNodes | relativeNodes | balancing }

  /// Whether `origin` is what the program named.
  var keepsUserNodes: Bool { flags & (MemoryPolicy.staticNodes | MemoryPolicy.relativeNodes) != 0 }
  /// Whether pages are shared out by their place.
  @inlinable var isInterleaved: Bool { mode == .interleave || mode == .weightedInterleave }

  /// The nodes that a query shows.
  var shownNodes: NodeSet {
    if mode == .standard || mode == .local { return .none }
    return keepsUserNodes ? origin : nodes
  }

  /// Takes a program's mode word and nodes apart, as Linux does (`sanitize_mpol_flags`, `mpol_new`, `mpol_set_nodemask`).
  /// - Parameter allowed: the nodes that the process may use.
  /// - Throws: `.einval`.
  static func parse(_ word: UInt64, _ named: NodeSet, allowed: NodeSet) throws(Errno) -> MemoryPolicy {
    let flags = UInt16(truncatingIfNeeded: word) & modeFlags
    let number = (word & 0xFFFF_FFFF) & ~UInt64(modeFlags)
    let isPlaced = flags & (staticNodes | relativeNodes)
    guard var mode = UInt8(exactly: number).flatMap(PolicyMode.init(rawValue:)),
      isPlaced != staticNodes | relativeNodes,
      flags & balancing == 0 || mode == .bind || mode == .preferredMany
    else { throw .einval }
    if mode == .standard {
      guard named.isEmpty else { throw .einval }
      return .standard
    }
    if mode == .preferred, named.isEmpty {
      guard isPlaced == 0 else { throw .einval }
      mode = .local
    } else if mode == .local {
      guard named.isEmpty, isPlaced == 0 else { throw .einval }
    } else if named.isEmpty {
      throw .einval
    }
    if mode == .local { return MemoryPolicy(.local) }
    var policy = MemoryPolicy(mode, flags: flags, origin: isPlaced != 0 ? named : allowed)
    policy.nodes =
      flags & relativeNodes != 0 ? named.relative(to: allowed) : named.intersection(allowed)
    guard let first = policy.nodes.lowest else { throw .einval }
    if mode == .preferred { policy.nodes = .only(first) }
    return policy
  }

  /// The policy for a process that may use `allowed` from now on (Linux: `mpol_rebind_policy`).
  func rebound(to allowed: NodeSet) -> MemoryPolicy {
    guard mode != .standard, mode != .local else { return self }
    var policy = self
    if flags & MemoryPolicy.staticNodes != 0 {
      policy.nodes = origin.intersection(allowed)
    } else if flags & MemoryPolicy.relativeNodes != 0 {
      policy.nodes = origin.relative(to: allowed)
    } else {
      var moved = NodeSet.none
      for node in nodes.nodes { moved.bits |= NodeSet.only(origin.remapped(node, to: allowed)).bits }
      policy.nodes = moved
      policy.origin = allowed
    }
    if policy.nodes.isEmpty { policy.nodes = allowed }
    if mode == .preferred, let first = policy.nodes.lowest { policy.nodes = .only(first) }
    return policy
  }
}

// SPDX-License-Identifier: MIT

/// A set of NUMA nodes: node n is bit n, as in the masks that programs pass.
@frozen public struct NodeSet: Sendable, Hashable, BitwiseCopyable {
  /// The bits.
  public var bits: UInt64
  /// Wraps bits.
  @inlinable public init(_ bits: UInt64) { self.bits = bits }
  /// No nodes.
  @inlinable public static var none: Self { Self(0) }
  /// The nodes 0 to `count` - 1.
  @inlinable public static func first(_ count: Int) -> Self {
    Self(count >= 64 ? .max : 1 &<< UInt64(count) &- 1)
  }
  /// One node.
  @inlinable public static func only(_ node: Int) -> Self { Self(1 &<< UInt64(node)) }

  /// The most nodes there can be.
  @inlinable public static var maximumCount: Int { 64 }

  /// Whether there is no node in it.
  @inlinable public var isEmpty: Bool { bits == 0 }
  /// How many nodes are in it.
  @inlinable public var count: Int { bits.nonzeroBitCount }
  /// The node with the lowest number.
  @inlinable public var lowest: Int? { bits == 0 ? nil : bits.trailingZeroBitCount }
  /// Whether `node` is in it.
  @inlinable public func contains(_ node: Int) -> Bool {
    node >= 0 && node < 64 && bits &>> UInt64(node) & 1 == 1
  }
  /// Whether all of its nodes are in `other`.
  @inlinable public func isSubset(of other: Self) -> Bool { bits & ~other.bits == 0 }
  /// The nodes that are in both.
  @inlinable public func intersection(_ other: Self) -> Self { Self(bits & other.bits) }

  /// The node at `position` in order of numbers, counted round and round.
  public func node(at position: UInt64) -> Int? {
    guard bits != 0 else { return nil }
    var rest = bits
    for _ in 0..<position % UInt64(count) { rest &= rest &- 1 }
    return rest.trailingZeroBitCount
  }

  /// The next node behind `node`, round and round.
  public func next(after node: Int) -> Int? {
    let behind = node >= 63 ? 0 : bits & ~(UInt64.max >> UInt64(63 - node))
    return NodeSet(behind).lowest ?? lowest
  }

  /// The nodes in order of numbers.
  public var nodes: [Int] { (0..<64).filter { bits >> UInt64($0) & 1 == 1 } }

  /// How many of its nodes have lower numbers than `node`.
  public func position(of node: Int) -> Int { NodeSet(bits & (1 << UInt64(node) &- 1)).count }

  /// The node that takes the place of `node` when `old` becomes `new` (Linux: `node_remap`): the one at the same
  /// position; `node` itself if it is not in `old`.
  public func remapped(_ node: Int, to new: NodeSet) -> Int {
    guard contains(node), !new.isEmpty else { return node }
    return new.node(at: UInt64(position(of: node))) ?? node
  }

  /// Its nodes, taken as positions in `base`, round and round (Linux: MPOL_F_RELATIVE_NODES).
  public func relative(to base: NodeSet) -> NodeSet {
    var found = NodeSet.none
    for position in nodes {
      if let node = base.node(at: UInt64(position)) { found.bits |= 1 << UInt64(node) }
    }
    return found
  }
}

// SPDX-License-Identifier: MIT

/// Where the memory of an address space's processes is to come from. Children inherit it; it survives `execute`.
public struct TaskPlacement: Sendable {
  /// The task's policy.
  public internal(set) var policy = MemoryPolicy.standard
  /// The nodes that the task may use at all (Linux: `cpuset.mems`).
  public internal(set) var allowed = NodeSet(.max)
  /// The node that the last page without a place of its own came from, when the policy interleaves.
  var lastNode = 63
  /// Whether pages of files are shared out over all allowed nodes (Linux: `cpuset.memory_spread_page`).
  public var spreadsFilePages = false
  /// Pages that this node may still give in turn, when the policy has weights.
  var weightLeft: UInt64 = 0
  /// Tables that were allocated when the task's tables last changed their node.
  var tablesSeen: UInt64 = 0
  /// The node that the last table came from, when the policy interleaves.
  var lastTableNode = 63

  /// No policy, all nodes.
  public init() {}
}

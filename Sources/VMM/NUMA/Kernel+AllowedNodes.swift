// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

extension Kernel {
  /// Changes which nodes the processes of an address space may use (Linux: `cpuset.mems`). Policies are bound to the new
  /// nodes, as Linux does it.
  /// - Parameter migrates: pages on nodes that may not be used any more move (Linux: `cpuset.memory_migrate`).
  /// - Returns: how many base pages could not be moved.
  /// - Throws: `.einval` when no node of the machine is among them, `.enomem` when there are too many policies.
  @inlinable @discardableResult
  public func allow(_ nodes: NodeSet, for space: Space<Database>, migrates: Bool = false) throws(Errno)
    -> UInt64
  {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    let old = try rebind(space, to: nodes)
    return migrates ? migratePages(space, from: old.before, to: old.after, movesShared: true) : 0
  }

  @usableFromInline
  func rebind(_ space: Space<Database>, to nodes: NodeSet) throws(Errno) -> (before: NodeSet, after: NodeSet)
  {
    let before = allowedNodes(space)
    let after = nodes.intersection(numaCell.value.map.all)
    guard !after.isEmpty else { throw .einval }
    var numbers: [UInt16: UInt16] = [:]
    for area in space.layout.areas.areas where area.policy != 0 && numbers[area.policy] == nil {
      let policy = numaCell.value.policies[Int(area.policy)].rebound(to: after)
      numbers[area.policy] = try numaCell.value.number(of: policy)
    }
    space.layout.placement.allowed = after
    space.layout.placement.policy = space.layout.placement.policy.rebound(to: after)
    if !numbers.isEmpty {
      space.layout.areas.update(VirtualRange(VirtualAddress(0), userEnd)) {
        $0.policy = numbers[$0.policy] ?? $0.policy
      }
    }
    return (before, after)
  }

  /// Shares pages of files that a space's processes read out over all nodes that they may use (Linux:
  /// `cpuset.memory_spread_page`), or does so no more.
  public func spreadFilePages(_ isOn: Bool, of space: Space<Database>) {
    space.layout.placement.spreadsFilePages = isOn
  }
}

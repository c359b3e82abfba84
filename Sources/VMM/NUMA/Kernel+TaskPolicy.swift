// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// `set_mempolicy(mode, mask, bits)`.
  @inlinable
  func setMempolicy(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let (policy, _) = try loadPolicy(process, mode: request[0], mask: request[1], maximum: request[2])
    try commit(request)
    give(policy, to: process)
    return 0
  }

  @usableFromInline func give(_ policy: MemoryPolicy, to process: Process<Database>) {
    process.space.layout.placement.policy = policy
    process.space.layout.placement.lastNode = 63
    process.space.layout.placement.weightLeft = 0
  }

  /// `get_mempolicy(mode pointer, mask, bits, address, flags)`.
  @inlinable
  func getMempolicy(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let (pointer, mask, maximum) = (request[0], request[1], request[2])
    if mask != 0, maximum < UInt64(platform.frames.nodeCount) { throw .einval }
    let answer = try askPolicy(process, request.address(3), flags: request[4])
    try commit(request)
    if pointer != 0 { try storeUser(answer.value, process, VirtualAddress(pointer), bytes: 4) }
    if mask != 0 { try storeNodes(answer.nodes, process, VirtualAddress(mask), maximum: maximum) }
    return 0
  }

  /// What a query finds. MPOL_F_NODE is 1, MPOL_F_ADDR 2, MPOL_F_MEMS_ALLOWED 4.
  @inlinable
  func askPolicy(_ process: Process<Database>, _ address: VirtualAddress, flags: UInt64) throws(Errno)
    -> (value: UInt64, nodes: NodeSet)
  {
    guard flags & ~7 == 0 else { throw .einval }
    if flags & 4 != 0 {
      guard flags & 3 == 0 else { throw .einval }
      return (0, allowedByTask(process))
    }
    guard flags & 2 != 0 else {
      guard address.raw == 0 else { throw .einval }
      return try taskPolicy(process, asksNode: flags & 1 != 0)
    }
    let policy = try areaPolicy(process, address)
    guard flags & 1 != 0 else { return (policy.value, policy.nodes) }
    let place = try reachForQuery(process.space, address)
    return (UInt64(platform.frames.node(of: place.frame)), policy.nodes)
  }

  /// Brings the page of a query in.
  @inlinable
  func reachForQuery(_ space: Space<Database>, _ address: VirtualAddress) throws(Errno) -> PhysicalAddress {
    try reach(space, address, .load)
  }

  @usableFromInline func allowedByTask(_ process: Process<Database>) -> NodeSet {
    allowedNodes(process.space)
  }

  @usableFromInline
  func taskPolicy(_ process: Process<Database>, asksNode: Bool) throws(Errno) -> (
    value: UInt64, nodes: NodeSet
  ) {
    let task = process.space.layout.placement
    guard asksNode else { return (shown(task.policy), task.policy.shownNodes) }
    guard task.policy.isInterleaved else { throw .einval }
    if task.policy.mode == .weightedInterleave, task.weightLeft > 0 {
      return (UInt64(task.lastNode), task.policy.shownNodes)
    }
    guard let next = task.policy.nodes.next(after: task.lastNode) else { throw .einval }
    return (UInt64(next), task.policy.shownNodes)
  }

  /// The area's own policy, not the task's.
  @usableFromInline
  func areaPolicy(_ process: Process<Database>, _ address: VirtualAddress) throws(Errno)
    -> (value: UInt64, nodes: NodeSet)
  {
    guard let area = process.space.layout.areas.area(at: address) else { throw .efault }
    var number = area.policy
    if let file = sharedMemory(of: area) { number = file.policies.policy(of: area.filePage(at: address)) }
    let policy = numaCell.value.policies[Int(number)]
    return (shown(policy), policy.shownNodes)
  }

  private func shown(_ policy: MemoryPolicy) -> UInt64 {
    UInt64(policy.mode.rawValue) | UInt64(policy.flags)
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// Node masks in user memory: arrays of 64-bit words, whose length programs give as a number of bits plus one.
extension Kernel {
  /// Reads a mask (Linux: `get_nodes`). Without a pointer or without bits it is empty.
  /// - Throws: `.einval` for masks of more than a page, and for nodes that no kernel has; `.efault`.
  @inlinable
  func loadNodes(_ process: Process<Database>, _ address: VirtualAddress, maximum: UInt64) throws(Errno)
    -> NodeSet
  {
    let bits = maximum &- 1
    guard bits != 0, address.raw != 0 else { return .none }
    guard bits <= PageSize.base.bytes &* 8 else { throw .einval }
    var nodes = NodeSet.none
    for word in 0..<(bits &+ 63) / 64 {
      var value = try loadUser(process, address.advanced(by: word &* 8))
      let valid = bits &- word &* 64
      if valid < 64 { value &= 1 &<< valid &- 1 }
      if word == 0 { nodes = NodeSet(value) } else if value != 0 { throw .einval }
    }
    return nodes
  }

  /// Writes a mask (Linux: `copy_nodes_to_user`); words behind the last node become zero.
  @inlinable
  func storeNodes(
    _ nodes: NodeSet, _ process: Process<Database>, _ address: VirtualAddress, maximum: UInt64
  ) throws(Errno) {
    let bytes = ((maximum &- 1) &+ 63) / 64 &* 8
    guard bytes <= PageSize.base.bytes else { throw .einval }
    for word in 0..<bytes / 8 {
      try storeUser(word == 0 ? nodes.bits : 0, process, address.advanced(by: word &* 8))
    }
  }

  /// The policy that a mode word and a mask in user memory say.
  @inlinable
  func loadPolicy(_ process: Process<Database>, mode: UInt64, mask: UInt64, maximum: UInt64) throws(Errno)
    -> (policy: MemoryPolicy, named: NodeSet)
  {
    try checkMode(mode)
    let named = try loadNodes(process, VirtualAddress(mask), maximum: maximum)
    return (try parsePolicy(process, mode, named), named)
  }

  /// Modes and flags are looked at before the mask is read.
  @usableFromInline func checkMode(_ word: UInt64) throws(Errno) {
    let mode = (word & 0xFFFF_FFFF) & ~UInt64(MemoryPolicy.modeFlags)
    let flags = UInt16(truncatingIfNeeded: word)
    let both = MemoryPolicy.staticNodes | MemoryPolicy.relativeNodes
    guard mode <= 6, flags & both != both else { throw .einval }
    if flags & MemoryPolicy.balancing != 0, mode != 2, mode != 5 { throw .einval }
  }

  @usableFromInline
  func parsePolicy(_ process: Process<Database>, _ mode: UInt64, _ named: NodeSet) throws(Errno)
    -> MemoryPolicy
  {
    try MemoryPolicy.parse(mode, named, allowed: allowedNodes(process.space))
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// What a range operation took out of the tree: flushes that are owed, and nodes that are unlinked but not yet given
/// back, because walkers may remember them until the flush. Linux calls this the mmu gather.
@frozen @usableFromInline struct RadixGather: ~Copyable {
  @usableFromInline var flushed = FlushSpan()
  /// The nodes, linked through the frame table, where a flag tells flattened ones; 0 ends the list.
  @usableFromInline var nodes = FrameNumber(0)

  @inlinable init() {}
}

extension RadixTree {
  /// Takes over the node that `slot` led to.
  @inlinable func take(_ slot: Slot, _ gather: inout RadixGather) {
    let node = slot.child
    table.setNext(gather.nodes, of: node.frame)
    if node.isFlattened { table.setFlags(1, node.frame) }
    gather.nodes = node.frame
    gather.flushed.add(slot.span, stride: slot.size)
  }

  /// Ends a gather. Nodes are freed after the flush, which then is no longer owed. Inside a batch the flush comes at the
  /// batch's end, and the nodes are free before that: no CPU may walk this range meanwhile.
  @inlinable @inline(never) func finish(_ gather: consuming RadixGather) -> FlushObligation {
    var node = gather.nodes
    let owed = gather.flushed.obligation()
    guard node.raw != 0 else { return owed }
    context.advanceGeneration()
    settle(owed)
    while node.raw != 0 {
      let next = table.next(node)
      freeNode(RadixNode(node.address.raw | UInt64(table.flags(node)), 0))
      node = next
    }
    return .none
  }
}

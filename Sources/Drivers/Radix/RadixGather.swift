// SPDX-License-Identifier: MIT
public import EMTCore
internal import EntryFormats
public import SimMemory

/// What a range operation took out of the tree: flushes that are owed, and nodes that are unlinked but not yet given
/// back, because walkers may remember them until the flush. Linux calls this the mmu gather.
@frozen @usableFromInline struct RadixGather: ~Copyable {
  @usableFromInline var flushed = FlushSpan()
  /// The nodes, linked through the frame table; 0 ends the list.
  @usableFromInline var nodes = FrameNumber(0)

  @inlinable init() {}

  /// Takes over the node that `slot` led to.
  mutating func take(_ slot: RadixSlot, of database: RadixDatabase) {
    database.table.setNext(nodes, of: slot.child.frame)
    nodes = slot.child.frame
    flushed.add(slot.span, stride: slot.size)
  }

  /// Takes over the node that `slot` led to, and all below it, which map nothing.
  mutating func takeNodes(_ slot: RadixSlot, of database: RadixDatabase) {
    if slot.level > 1 {
      for index in 0..<RadixFormat.entries {
        let address = slot.start.advanced(by: index << UInt64(RadixFormat.span(slot.level - 1).shift))
        let lower = RadixSlot(database.memory, slot.child, address, slot.level - 1)
        if lower.isTable { takeNodes(lower, of: database) }
      }
    }
    take(slot, of: database)
  }
}

extension RadixDatabase {
  /// Ends a gather. Nodes are freed after the flush, which then is no longer owed. Inside a batch the flush comes at the
  /// batch's end, and the nodes are free before that: no CPU may walk this range meanwhile.
  @usableFromInline func finish(_ gather: consuming RadixGather) -> FlushObligation {
    var node = gather.nodes
    let owed = gather.flushed.obligation()
    guard node.raw != 0 else { return owed }
    context.advanceGeneration()
    settle(owed)
    while node.raw != 0 {
      let next = table.next(node)
      freeNode(node)
      node = next
    }
    return .none
  }
}

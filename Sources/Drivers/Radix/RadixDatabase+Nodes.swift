// SPDX-License-Identifier: MIT
internal import EMTCore
internal import EntryFormats
public import SimMemory

extension RadixDatabase {
  /// Entries in use in a node.
  @inlinable func used(_ node: FrameNumber) -> UInt64 { table.word(node) & 0xFFFF }

  /// Base pages mapped below a level-1 node.
  @inlinable func pages(_ node: FrameNumber) -> UInt64 { table.word(node) &>> 16 }

  /// Counts `change` leaves more (or, as a complement, fewer) in the node of `word` and in what knows about it.
  @inlinable @inline(__always)
  func tally(_ word: PhysicalAddress, _ level: Int, _ change: UInt64) {
    let node = word.frame
    if level == 0 {
      table.addToWord(change, node)
      table.addToWord(change &<< 16, table.next(node))
    } else {
      table.addToWord(level == 1 ? change &* (1 &+ 512 &<< 16) : change, node)
    }
  }

  /// Counts an entry that leads to a node. The root counts nodes instead.
  @usableFromInline func tally(node slot: RadixSlot, used change: UInt64) {
    if slot.level < RadixFormat.rootLevel { table.addToWord(change, slot.word.frame) }
  }

  /// An entry that leads to `node`. Rights are decided in the leaves; the accessed bit is set so that hardware never
  /// writes the entry.
  static func pointer(to node: FrameNumber) -> UInt64 {
    node.address.raw | X86Entry.present | X86Entry.writable | X86Entry.user | X86Entry.accessed
  }

  /// A cleared frame for a node of this database.
  func makeNode() -> FrameNumber? {
    guard let node = RadixDatabase.makeNode(context) else { return nil }
    table.addToWord(1, root.frame)
    return node
  }

  static func makeNode(_ context: DatabaseContext) -> FrameNumber? {
    var didClear = false
    guard let node = context.platform.frames.allocateZeroed(node: context.node, didClear: &didClear)
    else { return nil }
    context.meter.count(.tableFrame)
    return node
  }

  /// Gives a node's frame back.
  func freeNode(_ node: FrameNumber) {
    table.addToWord(~0, root.frame)
    context.meter.count(.tableFrameFreed)
    context.platform.frames.free(node)
  }

  /// Makes the nodes between `slot` and `level` for `address`, linked but not yet published.
  /// - Returns: the highest one; nil when memory ran out, and then there are none.
  func makeChain(_ address: VirtualAddress, from level: Int, below slot: RadixSlot) -> FrameNumber? {
    var chain: FrameNumber?
    for current in level..<slot.level {
      guard let node = makeNode() else {
        guard let chain else { return nil }
        freeNodes(below: chain.address, current - 1, VirtualRange(page: address, RadixFormat.span(current)))
        freeNode(chain)
        return nil
      }
      if let child = chain {
        let word = node.address.advanced(by: RadixFormat.entryOffset(address, current))
        memory.storeRelaxed(RadixDatabase.pointer(to: child), at: word)
        table.setWord(1, node)
        if current == 1 { table.setNext(node, of: child) }
      } else if level == 0, slot.level == 1 {
        table.setNext(slot.word.frame, of: node)
      }
      chain = node
    }
    return chain
  }

  /// Frees every node below `node`, which is at `level`, that serves `range`; entries are left as they are.
  func freeNodes(below node: PhysicalAddress, _ level: Int, _ range: VirtualRange) {
    guard level > 0 else { return }
    let size = RadixFormat.span(level)
    context.meter.count(.entryRead, (range.bytes &+ size.mask) &>> UInt64(size.shift))
    var position = range.start
    while position < range.end {
      let end = range.pieceEnd(position, size)
      let slot = RadixSlot(memory, node, position, level)
      if slot.isTable {
        freeNodes(below: slot.child, level - 1, VirtualRange(position, end))
        freeNode(slot.child.frame)
      }
      position = end
    }
  }
}

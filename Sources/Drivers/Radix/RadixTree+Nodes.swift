// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory

extension RadixTree {
  /// Entries in use in a node, or in one part of a flattened node.
  @inlinable @inline(__always) func used(_ node: FrameNumber) -> UInt64 { table.word(node) & 0xFFFF }

  /// Base pages mapped below a level-1 node.
  @inlinable func pages(_ node: FrameNumber) -> UInt64 { table.word(node) &>> 16 & 0xFF_FFFF }

  /// Whether no entry of a node is in use.
  @inlinable func isEmpty(_ node: RadixNode) -> Bool {
    guard node.isFlattened else { return used(node.frame) == 0 }
    let first = (0..<Shape.entries).first { used(node.frame.advanced(by: $0)) != 0 }
    context.meter.count(.tableFrameChecked, first ?? Shape.entries)
    return first == nil
  }

  /// Counts `change` leaves more (or, as a complement, fewer) in the node of `word` and in what knows about it.
  /// - Parameter mark: the slot's.
  @inlinable @inline(__always)
  func tally(_ word: PhysicalAddress, _ level: Int, _ change: UInt64, mark: UInt64 = 0) {
    let node = word.frame
    if level == 0 || mark != 0 {
      table.addToWord(change, node)
      table.addToWord(level == 0 ? change &<< 16 : change &* 512 &<< 16, table.next(node))
    } else {
      table.addToWord(level == 1 ? change &* (1 &+ 512 &<< 16) : change, node)
    }
  }

  /// Calls `body` for each entry of `node` that serves a part of `range`, with that part.
  @inlinable @inline(__always)
  func forEachEntry(of node: RadixNode, _ range: VirtualRange, _ body: (Slot, VirtualRange) -> Void) {
    let size = Shape.span(node.level)
    context.meter.count(.entryRead, (range.bytes &+ size.mask) &>> UInt64(size.shift))
    var position = range.start
    while position < range.end {
      let piece = VirtualRange(position, range.pieceEnd(position, size))
      body(Slot(memory, node, position), piece)
      position = piece.end
    }
  }

  /// A cleared node of this database: a flattened one where the shape has them and memory allows.
  @inlinable @inline(never) func makeNode(at level: Int) -> RadixNode? {
    guard let node = RadixTree.makeNode(context, at: level) else { return nil }
    table.addToWord((node.isFlattened ? 512 : 1) &<< 40, root.frame)
    return node
  }

  @inlinable static func makeNode(_ context: DatabaseContext, at level: Int) -> RadixNode? {
    if Shape.mayFlatten(level), let node = makeFlattened(context, at: level) { return node }
    var didClear = false
    guard let node = context.platform.frames.allocateZeroed(node: context.node, didClear: &didClear)
    else { return nil }
    context.meter.count(.tableFrame)
    return RadixNode(node.address.raw, level)
  }

  /// Gives a node's memory back. One whose entries were all taken out need not be cleared again; in a root the kernel's
  /// may stand, uncounted.
  @inlinable @inline(never) func freeNode(_ node: RadixNode) {
    context.meter.count(.tableFrameFreed)
    table.addToWord(0 &- (node.isFlattened ? 512 : 1) &<< 40, root.frame)
    if node.isFlattened { return freeFlattened(node) }
    if used(node.frame) == 0, node.frame != root.frame { context.platform.frames.markClear(node.frame) }
    context.platform.frames.free(node.frame)
  }

  /// Makes the nodes below `slot` down to `level` for `address`, linked but not yet published.
  /// - Returns: the highest one; nil when memory ran out, and then there are none.
  @inlinable
  func makeChain(_ address: VirtualAddress, from slot: Slot, to level: Int) -> RadixNode? {
    guard let node = makeNode(at: slot.level &- 1) else { return nil }
    if node.level == 0 { table.setNext(slot.word.frame, of: node.frame) }
    var last = Slot(memory, node, address)
    while last.level > level, last.isTable { last = Slot(memory, last.child, address) }
    if last.level == level { return node }
    guard let lower = makeChain(address, from: last, to: level) else {
      freeNode(node)
      return nil
    }
    memory.storeRelaxed(lower.pointer, at: last.word)
    table.addToWord(1, last.word.frame)
    return node
  }

  /// Frees every node below `node` that serves `range`; entries are left as they are.
  @inlinable @inline(never) func freeNodes(below node: RadixNode, _ range: VirtualRange) {
    guard node.level > 0, node.isFlattened ? node.level > 1 : used(node.frame) != 0 else { return }
    forEachEntry(of: node, range) { slot, piece in
      guard slot.isTable else { return }
      freeNodes(below: slot.child, piece)
      if !node.isFlattened { freeNode(slot.child) }
    }
  }
}

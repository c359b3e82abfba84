// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// Where a walk ended: one entry word, and what was read there.
///
/// The upper level of a flattened node has no entries in memory. Its slots are made up: each leads to a part of the node,
/// 512 entries that serve as the node below. At level 1 such a slot stands for the first word of its part, which holds the
/// region's lock bits, and the 2 MiB page if there is one.
@frozen @usableFromInline struct RadixSlot<Shape: RadixShape>: BitwiseCopyable {
  /// The address that was walked for.
  @usableFromInline let address: VirtualAddress
  /// Where the word is.
  @usableFromInline let word: PhysicalAddress
  /// What was read, scheme bits included; a pointer where the slot is made up.
  @usableFromInline let raw: UInt64
  /// The level of the node that holds the word; leaves are level 0.
  @usableFromInline let level: Int
  /// The mark of a 2 MiB page in this slot: that of a flattened leaf node, or 0.
  @usableFromInline var mark: UInt64 = 0
  /// The slot is made up and leads to a part of a flattened node of pointers: known without a look at `raw`.
  @usableFromInline var isMadeUp = false

  @inlinable @inline(__always)
  init(_ address: VirtualAddress, word: PhysicalAddress, raw: UInt64, level: Int) {
    (self.address, self.word, self.raw, self.level) = (address, word, raw, level)
  }

  /// Reads the entry for `address` in `node`.
  @inlinable @inline(__always)
  init(_ memory: PhysicalMemory, _ node: RadixNode, _ address: VirtualAddress) {
    if Shape.mayFlatten(node.level), node.isFlattened {
      self.init(memory, partOf: node, address)
    } else {
      let word = PhysicalAddress(node.raw &+ Shape.entryOffset(address, node.level))
      self.init(address, word: word, raw: memory.loadAcquire(word), level: node.level)
    }
  }

  /// Whether the entry leads to a node: present, and not a leaf.
  @inlinable @inline(__always) var isTable: Bool {
    isMadeUp || level > 0 && raw & (X86Entry.present | X86Entry.pageSize) == X86Entry.present
  }
  /// Whether the entry says nothing; its lock bits do not count.
  @inlinable @inline(__always) var isVoid: Bool { X86Entry(raw).isNone }
  /// The node that the entry leads to.
  @inlinable @inline(__always) var child: RadixNode {
    if isMadeUp { return RadixNode(word.raw, level &- 1) }
    let isFlattened = Shape.mayFlatten(level &- 1) && raw & FPTFormat.mark != 0
    return RadixNode(X86Entry(raw).table.raw | (isFlattened ? FPTFormat.rootMark : 0), level &- 1)
  }
  /// What the entry spans.
  @inlinable @inline(__always) var size: PageSize { Shape.span(level) }
  /// The first address of the span.
  @inlinable @inline(__always) var start: VirtualAddress { address.aligned(down: size) }
  /// The span.
  @inlinable @inline(__always) var span: VirtualRange { VirtualRange(start, bytes: size.bytes) }
}

extension VirtualRange {
  /// Where the piece of the range that starts at `address` and lies in one page of `size` ends. Safe at the top of
  /// the address space, where the page's own end would wrap.
  @inlinable @inline(__always)
  func pieceEnd(_ address: VirtualAddress, _ size: PageSize) -> VirtualAddress {
    let last = address.raw | size.mask
    return last < end.raw ? VirtualAddress(last &+ 1) : end
  }
}

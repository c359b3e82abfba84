// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// Where a walk ended: one entry word, and what was read there.
@frozen @usableFromInline struct RadixSlot: BitwiseCopyable {
  /// The address that was walked for.
  @usableFromInline let address: VirtualAddress
  /// Where the word is.
  @usableFromInline let word: PhysicalAddress
  /// What was read, scheme bits included.
  @usableFromInline let raw: UInt64
  /// The level of the node that holds the word; leaves are level 0.
  @usableFromInline let level: Int

  @inlinable @inline(__always)
  init(_ address: VirtualAddress, word: PhysicalAddress, raw: UInt64, level: Int) {
    self.address = address
    self.word = word
    self.raw = raw
    self.level = level
  }

  /// Reads the entry for `address` in `node`.
  @inlinable @inline(__always)
  init(_ memory: PhysicalMemory, _ node: PhysicalAddress, _ address: VirtualAddress, _ level: Int) {
    let word = node.advanced(by: RadixFormat.entryOffset(address, level))
    self.init(address, word: word, raw: memory.loadAcquire(word), level: level)
  }

  /// Whether the entry leads to a node: present, and not a leaf.
  @inlinable @inline(__always) var isTable: Bool {
    level > 0 && raw & (X86Entry.present | X86Entry.pageSize) == X86Entry.present
  }
  /// Whether the entry says nothing; its lock bits do not count.
  @inlinable @inline(__always) var isVoid: Bool { X86Entry(raw).isNone }
  /// The node that the entry leads to.
  @inlinable @inline(__always) var child: PhysicalAddress { X86Entry(raw).table }
  /// What the entry spans.
  @inlinable @inline(__always) var size: PageSize { RadixFormat.span(level) }
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

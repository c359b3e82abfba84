// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

extension RadixSlot {
  /// Makes up the entry for `address` in a flattened node, or finds the 2 MiB page that stands there.
  @inlinable @inline(__always)
  init(_ memory: PhysicalMemory, partOf node: RadixNode, _ address: VirtualAddress) {
    let part = RadixSlot.part(of: node, address)
    let first = node.level == 1 ? memory.loadAcquire(part) : 0
    let raw = first & FPTFormat.mark != 0 ? first : RadixNode(part.raw, 0).pointer
    self.init(address, word: part, raw: raw, level: node.level)
    if node.level == 1 { mark = FPTFormat.mark } else { isMadeUp = true }
  }

  /// Reads the entry for the base page at `address` in a flattened node of leaves; if it is empty, the first of its part
  /// tells whether a 2 MiB page stands there.
  @inlinable @inline(__always)
  init(_ memory: PhysicalMemory, leafOf node: RadixNode, _ address: VirtualAddress) {
    let part = RadixSlot.part(of: node, address)
    let word = PhysicalAddress(part.raw &+ Shape.entryOffset(address, 0))
    let raw = memory.loadAcquire(word)
    if X86Entry(raw).isNone || raw & FPTFormat.mark != 0 {
      let first = memory.loadAcquire(part)
      if first & FPTFormat.mark != 0 {
        self.init(address, word: part, raw: first, level: 1)
        mark = FPTFormat.mark
        return
      }
    }
    self.init(address, word: word, raw: raw, level: 0)
  }

  /// Where the part of a flattened node for `address` is.
  @inlinable @inline(__always) static func part(of node: RadixNode, _ address: VirtualAddress)
    -> PhysicalAddress
  {
    PhysicalAddress(node.raw &- FPTFormat.rootMark &+ Shape.index(address, node.level) &<< 12)
  }
}

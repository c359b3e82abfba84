// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

extension RadixSlot {
  /// Makes up the entry for `address` in a flattened node, or finds the 2 MiB page that stands there.
  @inlinable @inline(__always)
  init(_ memory: PhysicalMemory, partOf node: RadixNode, _ address: VirtualAddress) {
    let part = PhysicalAddress(
      node.raw &- FPTFormat.rootMark &+ Shape.index(address, node.level) &<< 12)
    let first = node.level == 1 ? memory.loadAcquire(part) : 0
    let raw = first & FPTFormat.mark != 0 ? first : RadixNode(part.raw, 0).pointer
    self.init(address, word: part, raw: raw, level: node.level)
    if node.level == 1 { mark = FPTFormat.mark } else { isMadeUp = true }
  }
}

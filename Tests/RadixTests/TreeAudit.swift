// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Testing

/// One mapped leaf as it stands in memory.
struct Leaf: Equatable, CustomStringConvertible {
  let start: UInt64
  let level: Int
  let raw: UInt64
  var description: String { "\(VirtualAddress(start)) level \(level) " + String(raw, radix: 16) }
}

/// Reads a tree's bytes with code of its own, and checks what the driver keeps beside them.
struct TreeAudit {
  let memory: PhysicalMemory
  let table: FrameTable
  private(set) var leaves: [Leaf] = []
  private(set) var nodes: UInt64 = 0

  init(_ database: RadixDatabase) {
    memory = database.context.platform.memory
    table = database.context.platform.frames.table
    visit(database.root, 3, 0, parent: 0)
    #expect(nodes << 12 == database.footprint.nodes, "footprint")
  }

  /// - Returns: base pages mapped below the node.
  @discardableResult
  private mutating func visit(
    _ node: PhysicalAddress, _ level: Int, _ start: UInt64, parent: UInt64
  ) -> UInt64 {
    var (used, pages) = (UInt64(0), UInt64(0))
    nodes += 1
    // The upper half of a root is the kernel's.
    for index in 0..<(level == 3 ? 256 : 512) as Range<UInt64> {
      let raw = memory.loadAcquire(node.advanced(by: index * 8))
      #expect(raw & X86Entry.schemeMask == 0, "a lock or mark was left behind")
      guard raw != 0 else { continue }
      used += 1
      let span = UInt64(1) << UInt64(12 + 9 * level)
      if level > 0, raw & 0x81 == 1 {
        let child = PhysicalAddress(raw & 0xF_FFFF_FFFF_F000)
        pages += visit(child, level - 1, start + index * span, parent: node.frame.raw)
      } else {
        pages += span >> 12
        leaves.append(Leaf(start: start + index * span, level: level, raw: raw))
      }
    }
    let word = table.word(node.frame)
    if level < 3 { #expect(word & 0xFFFF == used, "entries in use at level \(level)") }
    if level == 1 { #expect(word >> 16 == pages, "pages below level 1") }
    if level == 0 { #expect(table.next(node.frame).raw == parent, "link to the parent") }
    return pages
  }
}

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

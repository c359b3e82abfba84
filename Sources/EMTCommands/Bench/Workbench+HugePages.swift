// SPDX-License-Identifier: MIT
internal import Machine
internal import SimMemory
internal import VMM

extension Workbench {
  /// Runs the workloads that are about huge pages, eight in the warm-up and 256 in a measured run at most.
  /// - Returns: false when `workload` is not one of them.
  mutating func runHugePages(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x60_0000_0000
    let blocks = size / 8
    let block = PageSize.twoMiB.bytes
    switch workload {
    case .hugeStores:
      try mapHuge(base, blocks)
      touch(base, pages: blocks, stride: block)
    case .hugeLoadsThenStores:
      try mapHuge(base, blocks)
      touch(base, pages: blocks, stride: block, .load)
      touch(base, pages: blocks, stride: block)
    case .hugeCopies:
      try mapHuge(base, blocks)
      touch(base, pages: blocks, stride: block)
      let child = try fork()
      for page in 0..<16 as Range<UInt64> { touch(base + page << 12, pages: blocks, stride: block) }
      exit(child)
    case .hugeUnmapPieces:
      try mapHuge(base, blocks)
      touch(base, pages: blocks, stride: block)
      for piece in 0..<blocks { try call(.munmap, base + piece * block + 64 << 12, 32 << 12) }
    case .hugeProtectPieces:
      try mapHuge(base, blocks)
      touch(base, pages: blocks, stride: block)
      try call(.mprotect, base, blocks * block, 1)
      try call(.mprotect, base, blocks * block, 3)
      for piece in 0..<blocks { try call(.mprotect, base + piece * block, 32 << 12, 1) }
    case .hugeDrops:
      try mapHuge(base, blocks)
      for _ in 0..<2 {
        touch(base, pages: blocks, stride: block)
        try call(.madvise, base, blocks * block, 4)
      }
      touch(base, pages: blocks, stride: block)
      for piece in 0..<blocks { try call(.madvise, base + piece * block + 64 << 12, 32 << 12, 4) }
      for page in 64..<80 as Range<UInt64> { touch(base + page << 12, pages: blocks, stride: block) }
    case .hugeMoves:
      try mapHuge(base, blocks)
      touch(base, pages: blocks, stride: block)
      try call(.mremap, base, blocks * block, blocks * block, 3, base + 1 << 32)
    case .hugeAreas:
      for area in 0..<blocks {
        let start = base + area * 2 * block
        try mapHuge(start, 1)
        touch(start, pages: 1, area & 1 == 0 ? .store : .load)
        if area & 3 == 0 { try call(.mprotect, start, block, 1) }
      }
      for area in 0..<blocks { try call(.munmap, base + area * 2 * block, block) }
    case .hugeForks:
      let few = max(blocks / 16, 1)
      try mapHuge(base, few)
      touch(base, pages: few, stride: block)
      for _ in 0..<8 { exit(try fork()) }
      // Blocks that the parent cuts and the child still has as a whole.
      let child = try fork()
      for piece in 0..<few { try call(.munmap, base + piece * block, 4096) }
      exit(child)
    case .backgroundCollapses:
      let dense = max(blocks / 32, 1)
      try map(base, pages: dense << 10)
      touch(base, pages: dense << 9)
      touch(base + dense * block, pages: dense << 6, stride: 8 << 12)
      try call(.madvise, base, 2 * dense * block, 14)
      for _ in 0..<8 { collapseInBackground() }
    case .backgroundPasses:
      // Few areas, unlike in real programs: so beginning a pass and visiting an area can be told apart.
      try map(base, pages: 16)
      for _ in 0..<(size / 64) { collapseInBackground() }
    case .collapses:
      let dense = max(blocks / 16, 1)
      try map(base, pages: dense << 9)
      touch(base, pages: dense << 9)
      try call(.madvise, base, dense * block, 25)
    default: return false
    }
    return true
  }

  /// One pass of the background job that makes huge pages.
  private func collapseInBackground() {
    _ = machine.calls.collapseInBackground()
    machine.deliverInvalidations()
  }

  /// Private anonymous memory that gets huge pages.
  private func mapHuge(_ address: UInt64, _ blocks: UInt64) throws(CommandFailure) {
    try map(address, pages: blocks << 9)
    try call(.madvise, address, blocks * PageSize.twoMiB.bytes, 14)
  }
}

// SPDX-License-Identifier: MIT
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
    case .collapses:
      let dense = max(blocks / 16, 1)
      try map(base, pages: dense << 9)
      touch(base, pages: dense << 9)
      try call(.madvise, base, dense * block, 25)
    default: return false
    }
    return true
  }

  /// Private anonymous memory that gets huge pages.
  private func mapHuge(_ address: UInt64, _ blocks: UInt64) throws(CommandFailure) {
    try map(address, pages: blocks << 9)
    try call(.madvise, address, blocks * PageSize.twoMiB.bytes, 14)
  }
}

// SPDX-License-Identifier: MIT
internal import Machine
internal import SimMemory
internal import VMM

extension Workbench {
  /// Runs the workloads that are about unmapping and mapping.
  mutating func runMappings(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x20_0000_0000
    switch workload {
    case .unmapDense:
      try map(base, pages: size)
      touch(base, pages: size)
      try call(.munmap, base, size << 12)
    case .unmapPieces:
      try map(base, pages: size)
      touch(base, pages: size)
      for piece in 0..<(size / 8) { try call(.munmap, base + piece << 15, 8 << 12) }
    case .unmapHoles:
      try map(base, pages: size / 4)
      touch(base, pages: size / 4)
      for piece in 0..<(size / 16) { try call(.munmap, base + (piece << 2 + 1) << 12, 4096) }
    case .mapUnmap:
      for _ in 0..<(size / 4) {
        try map(base, pages: 16)
        try call(.munmap, base, 16 << 12)
      }
    case .manyAreas:
      for area in 0..<size {
        try call(.mmap, base + area << 14, 3 << 12, area & 1 == 0 ? 1 : 3, 0x32, .max, 0)
        touch(base + area << 14, pages: 1, .load)
      }
      for area in 0..<size { try call(.munmap, base + area << 14, 4 << 12) }
    case .mapOver:
      for _ in 0..<(size / 16) {
        try map(base, pages: 16)
        touch(base, pages: 8)
      }
    case .heap, .heapWithStores:
      let start = try call(.brk, 0)
      for step in 1...(size / 4) {
        try call(.brk, start + step << 13)
        if workload == .heapWithStores { touch(start + (step - 1) << 13, pages: 2) }
      }
      for step in (0..<(size / 32)).reversed() { try call(.brk, start + step << 16) }
    case .populate:
      for piece in 0..<(size / 32) { try map(base + piece << 20, pages: 32, flags: 0x8000) }
    case .exitSparse:
      try map(base, pages: size << 9)
      touch(base, pages: size, stride: 2 << 20)
      try renew()
    default: return false
    }
    return true
  }

  /// Runs the workloads that are about protection, moving and advice.
  mutating func runChanges(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x30_0000_0000
    switch workload {
    case .protectDense, .protectAndStore:
      try map(base, pages: size)
      touch(base, pages: size)
      for turn in 0..<4 as Range<UInt64> {
        try call(.mprotect, base, size << 12, turn & 1 == 0 ? 1 : 3)
        if workload == .protectAndStore, turn & 1 == 1 { touch(base, pages: size) }
      }
    case .protectPieces:
      try map(base, pages: size)
      touch(base, pages: size)
      for piece in 0..<(size / 16) { try call(.mprotect, base + (piece << 4 + 3) << 12, 4 << 12, 1) }
      for piece in 0..<(size / 16) { try call(.mprotect, base + (piece << 4 + 3) << 12, 4 << 12, 3) }
    case .protectEmpty:
      try map(base, pages: size)
      for piece in 0..<(size / 8) { try call(.mprotect, base + (piece << 3 + 3) << 12, 4 << 12, 1) }
    case .moveDense:
      try map(base, pages: size)
      touch(base, pages: size)
      for turn in 0..<4 as Range<UInt64> {
        let (from, to) = (base + turn << 32, base + (turn + 1) << 32)
        try call(.mremap, from, size << 12, size << 12, 3, to)
      }
    case .moveSmall:
      for step in 0..<(size / 8) {
        let from = base + step << 16
        try map(from, pages: 2)
        touch(from, pages: 2)
        try call(.mremap, from, 2 << 12, 3 << 12, 3, from + 8 << 12)
      }
    case .growShrink:
      try map(base, pages: 4)
      for step in 1..<(size / 8) { try call(.mremap, base, step << 14, (step + 1) << 14, 0) }
      touch(base, pages: size / 4)
      for step in (1..<(size / 8)).reversed() { try call(.mremap, base, (step + 1) << 14, step << 14, 0) }
    default: return try runAdvice(workload, size)
    }
    return true
  }

  mutating func runAdvice(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x40_0000_0000
    switch workload {
    case .dropDense:
      try map(base, pages: size)
      for _ in 0..<2 {
        touch(base, pages: size)
        try call(.madvise, base, size << 12, 4)
      }
    case .dropPieces:
      try map(base, pages: size)
      touch(base, pages: size)
      for piece in 0..<(size / 4) { try call(.madvise, base + piece << 14, 2 << 12, 4) }
    case .dropSparse:
      try map(base, pages: size << 9)
      touch(base, pages: size, stride: 2 << 20)
      try call(.madvise, base, size << 21, 4)
    case .adviseAreas:
      try map(base, pages: size << 2)
      for area in 0..<size { try call(.madvise, base + area << 14, 2 << 12, area & 1 == 0 ? 1 : 2) }
      try call(.madvise, base, size << 14, 0)
    case .guardPages:
      try map(base, pages: size)
      for piece in 0..<(size / 16) { try call(.madvise, base + piece << 16, 4 << 12, 102) }
      try call(.madvise, base, size << 12, 103)
    case .lockPages:
      try map(base, pages: size)
      for piece in 0..<(size / 32) { try call(.mlock, base + piece << 17, 16 << 12) }
      try call(.munlock, base, size << 12)
    case .query:
      try map(base, pages: size)
      touch(base, pages: size)
      try map(base + 1 << 32, pages: 8)
      for piece in 0..<(size / 32) {
        try call(.mincore, base + piece << 17, 32 << 12, base + 1 << 32)
        try call(.msync, base + piece << 17, 32 << 12, 4)
      }
    default: return false
    }
    return true
  }
}

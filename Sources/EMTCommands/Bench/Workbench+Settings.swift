// SPDX-License-Identifier: MIT
internal import Machine
internal import SimMemory
internal import VMM

extension Workbench {
  /// Runs the workloads that need several CPUs: what changes translations while one, two and three other CPUs use the
  /// address space.
  /// - Returns: false when `workload` is not one of them.
  mutating func runShootdowns(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x70_0000_0000
    guard workload.setting == .severalCPUs else { return false }
    let part = size / 8
    for cpu in 1...3 {
      machine.kernel.run(process, on: cpu)
      machine.kernel.act(on: 0)
      try map(base, pages: part)
      touch(base, pages: part)
      switch workload {
      case .shootdownProtects:
        for turn in 0..<2 as Range<UInt64> {
          for piece in 0..<(part / 4) { try call(.mprotect, base + piece << 14, 4096, turn == 0 ? 1 : 3) }
          try call(.mprotect, base, part << 12, turn == 0 ? 3 : 1)
        }
      case .shootdownUnmaps:
        for piece in 0..<(part / 4) { try call(.munmap, base + piece << 14, 2 << 12) }
      default:
        let child = try fork()
        touch(base, pages: part)
        exit(child)
      }
      try call(.munmap, base, part << 12)
    }
    return true
  }

  /// Runs the workloads that want half as much memory again as there is.
  /// - Returns: false when `workload` is not one of them.
  mutating func runPressure(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x80_0000_0000
    let pages = size * 6
    switch workload {
    case .pressureStores:
      try map(base, pages: pages)
      touch(base, pages: pages)
    case .pressureSweeps:
      try map(base, pages: pages)
      touch(base, pages: pages)
      touch(base, pages: pages, .load)
    case .pressureShared:
      try map(base, pages: pages)
      touch(base, pages: pages / 3)
      let child = try fork()
      touch(base + (pages / 3) << 12, pages: pages * 2 / 3)
      touch(base, pages: pages / 3, .load)
      exit(child)
    case .pressureMemoryFile:
      try call(.mmap, base, pages << 12, 3, 0x21, .max, 0)
      touch(base, pages: pages)
      touch(base, pages: pages / 4, .load)
    default: return false
    }
    return true
  }
}

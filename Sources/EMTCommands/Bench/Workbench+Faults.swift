// SPDX-License-Identifier: MIT
internal import Machine
internal import SimMemory
internal import VMM

// Addresses are spread so that no two workloads share tables.
extension Workbench {
  /// Runs the workloads that are about faults.
  /// - Returns: false when `workload` is not one of them.
  mutating func runFaults(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x10_0000_0000
    switch workload {
    case .denseStores:
      try map(base, pages: size)
      touch(base, pages: size)
    case .denseLoads:
      try map(base, pages: size)
      touch(base, pages: size, .load)
    case .loadsThenStores:
      try map(base, pages: size)
      touch(base, pages: size, .load)
      touch(base, pages: size)
    case .sparseRegions:
      try map(base, pages: size << 9)
      touch(base, pages: size, stride: 2 << 20)
    case .sparseGibs:
      try map(base, pages: size << 18)
      touch(base, pages: size, stride: 1 << 30)
    case .scatteredStores:
      try map(base, pages: size << 4)
      for page in 0..<size { touch(base &+ (page &* 0x9E37 % (size << 4)) << 12, pages: 1) }
    case .scatteredAreas:
      for area in 0..<(size / 4) { try call(.mmap, base + area << 16, 8 << 12, 3, 0x32, .max, 0) }
      for page in 0..<8 as Range<UInt64> {
        for area in 0..<(size / 4) {
          touch(
            base &+ (area &* 37 % (size / 4)) << 16 &+ page << 12, pages: 1, page & 1 == 0 ? .load : .store)
        }
      }
    case .sharedMemoryStores:
      try call(.mmap, base, size << 12, 3, 0x31, .max, 0)
      touch(base, pages: size)
    case .fileLoads, .fileCopies: try runFile(workload, base, size)
    case .stackGrowth:
      try map(base, pages: 4, flags: 0x100)
      for step in 1...(size / 2) { touch(base &- step &* 4096, pages: 1) }
    case .refusedFaults:
      try call(.mmap, base, size << 12, 1, 0x32, .max, 0)
      touch(base, pages: size)
      touch(base &- (size << 12), pages: size)
    case .repeatedFaults:
      try map(base, pages: size / 4)
      for _ in 0..<4 { touch(base, pages: size / 4) }
    default: return false
    }
    return true
  }

  func runFile(_ workload: MicroWorkload, _ base: UInt64, _ size: UInt64) throws(CommandFailure) {
    let request = SystemCallRequest(.memfdCreate, strings: [0: "calibration"])
    let file: UInt64
    do { file = try machine.calls.systemCall(process, request) } catch {
      throw .failed("memfd_create failed: \(error.name)")
    }
    try call(.ftruncate, file, size << 12)
    try call(.mmap, base, size << 12, 3, 0x12, file, 0)
    if workload == .fileLoads { touch(base, pages: size, .load) }
    touch(base, pages: size)
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Machine
internal import SimMemory
internal import VMM

extension Workbench {
  /// Runs the workloads that are about processes and about the kernel's use of user memory.
  mutating func runProcesses(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) -> Bool {
    let base: UInt64 = 0x50_0000_0000
    switch workload {
    case .forkDense:
      try map(base, pages: size)
      touch(base, pages: size)
      exit(try fork())
    case .copyAfterFork:
      try map(base, pages: size)
      touch(base, pages: size)
      let child = try fork()
      touch(base, pages: size)
      exit(child)
    case .reuseAfterFork:
      try map(base, pages: size)
      touch(base, pages: size)
      exit(try fork())
      touch(base, pages: size)
    case .forkTiny:
      try map(base, pages: 16)
      touch(base, pages: 12)
      for _ in 0..<size { exit(try fork()) }
    case .forkManyAreas:
      for area in 0..<size {
        try call(.mmap, base + area << 14, 3 << 12, 3, 0x32, .max, 0)
        touch(base + area << 14, pages: 2)
      }
      for _ in 0..<4 { exit(try fork()) }
    case .execTiny:
      for _ in 0..<size {
        try map(base, pages: 16)
        touch(base, pages: 12)
        do { try machine.calls.execute(process) } catch { throw .failed("exec failed: \(error.name)") }
        machine.deliverInvalidations()
        switchToProcess()
      }
    case .userCopies:
      try map(base, pages: size)
      for piece in 0..<(size / 8) {
        copy(VirtualRange(VirtualAddress(base + piece << 15), bytes: 4 << 12), .store)
        copy(VirtualRange(VirtualAddress(base + piece << 15), bytes: 8 << 12), .load)
      }
    case .refusedCalls:
      for step in 0..<(size / 8) {
        tryCall(.munmap, base + 1, 4096)
        tryCall(.mprotect, base + step << 12, 4096, 1)
        tryCall(.mmap, base, 0, 3, 0x32, .max, 0)
        tryCall(.mremap, base, 4096, 8192, 1)
        tryCall(.madvise, base, 4096, 4)
      }
    default: return false
    }
    return true
  }

  func copy(_ range: VirtualRange, _ kind: AccessKind) {
    try? machine.calls.copyUser(process, range, kind)
    machine.deliverInvalidations()
  }

  func switchToProcess() {
    _ = try? machine.kernel.service.switchTo(process.space.database, on: 0)
    machine.deliverInvalidations()
  }

  /// Runs one workload from a fresh process to that process's end.
  @usableFromInline mutating func run(_ workload: MicroWorkload, _ size: UInt64) throws(CommandFailure) {
    var isKnown = try runFaults(workload, size)
    if !isKnown { isKnown = try runMappings(workload, size) }
    if !isKnown { isKnown = try runChanges(workload, size) }
    if !isKnown { isKnown = try runHugePages(workload, size) }
    if !isKnown { isKnown = try runProcesses(workload, size) }
    if !isKnown { isKnown = try runShootdowns(workload, size) }
    if !isKnown { isKnown = try runPressure(workload, size) }
    precondition(isKnown, "a micro workload that nobody runs")
    try renew()
  }
}

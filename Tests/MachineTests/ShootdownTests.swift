// SPDX-License-Identifier: MIT
import EMTCore
import Machine
import SimMemory
import Testing
import VMM

/// Several CPUs on one address space: what one changes, no other may remember.
struct ShootdownTests {
  private let base: UInt64 = 0x10_0000_0000

  /// Process 1 runs on CPUs 0 and 1, process 2 on CPU 2, CPU 3 has nothing to do.
  private func onFourCPUs(
    _ configure: @escaping (inout MachineConfiguration) -> Void = { _ in },
    _ body: @escaping (any AnyMachine, String) throws -> Void
  ) {
    onEveryDriver(cpus: 4, configure) { machine, name in
      for pid in [1, 2] as [UInt32] { try machine.start(pid) }
      try machine.run(1, on: 0)
      try machine.run(1, on: 1)
      try machine.run(2, on: 2)
      try body(machine, name)
      machine.expectSound(name)
    }
  }

  @Test func unmappingIsOneShootdown() {
    onFourCPUs { machine, name in
      try machine.mapUser(500, at: base, on: 0)
      for number in 0..<UInt64(500) {
        #expect(machine.store(base + number * page, UInt8(number & 255), on: 1), "\(name)")
        #expect(machine.load(base + number * page, on: 0) == UInt8(number & 255), "\(name)")
      }
      // Five areas: every other one has other rights.
      for part in [1, 3] as [UInt64] {
        try machine.call(.mprotect, [base + part * 100 * page, 100 * page, 1], on: 0)
      }
      #expect(machine.work[.shootdown] == 2, "\(name)")
      machine.expectSound(name)
      #expect(!machine.store(base + 150 * page, 1, on: 1), "\(name)")
      #expect(machine.load(base + 150 * page, on: 1) == 150, "\(name)")
      let before = machine.work
      try machine.call(.mprotect, [base, 500 * page, 1], on: 1)
      #expect((machine.work - before)[.shootdown] == 1, "\(name)")
      #expect(!machine.store(base, 1, on: 0), "\(name)")
      let middle = machine.work
      try machine.call(.munmap, [base, 500 * page], on: 0)
      let work = machine.work - middle
      #expect(work[.shootdown] == 1, "\(name)")
      #expect(work[.interrupt] == 1, "\(name): CPU 1 runs the space, 2 and 3 do not")
      for number in stride(from: 0, to: 500, by: 7) as StrideTo<UInt64> {
        for cpu in 0..<2 { #expect(machine.load(base + number * page, on: cpu) == nil, "\(name)") }
      }
    }
  }

  @Test func copiesOnWriteReachTheOtherThread() {
    onFourCPUs { machine, name in
      try machine.mapUser(8, at: base, on: 0)
      for number in 0..<UInt64(8) { machine.store(base + number * page, 10, on: 1) }
      let before = machine.work
      try machine.fork(3, of: 1)
      #expect((machine.work - before)[.interrupt] == 1, "\(name)")
      try machine.run(3, on: 3)
      machine.expectSound(name)
      for number in 0..<UInt64(8) {
        #expect(machine.load(base + number * page, on: 3) == 10, "\(name)")
        #expect(machine.store(base + number * page, 20, on: Int(number % 2)), "\(name)")
        #expect(machine.load(base + number * page, on: Int(1 - number % 2)) == 20, "\(name)")
        #expect(machine.load(base + number * page, on: 3) == 10, "\(name)")
        machine.expectSound(name)
      }
    }
  }

  @Test func collapsedPagesAreTheSameOnEveryCPU() {
    onFourCPUs({ $0.hugePages = HugePageSettings(policy: .madvise) }) { machine, name in
      let start = (base + huge - 1) & ~(huge - 1)
      try machine.mapUser(512, at: start, on: 0)
      for number in 0..<UInt64(512) { machine.store(start + number * page, UInt8(number & 255), on: 1) }
      try machine.call(.madvise, [start, 512 * page, 14], on: 0)
      let before = machine.work
      for _ in 0..<8 where !machine.isHuge(start, pid: 1) { _ = machine.collapseInBackground() }
      #expect(machine.isHuge(start, pid: 1), "\(name)")
      // One for the pages; a table that gives way to the huge page takes another one.
      #expect((1...2).contains((machine.work - before)[.shootdown]), "\(name)")
      machine.expectSound(name)
      for number in 0..<UInt64(512) {
        #expect(machine.load(start + number * page, on: Int(number % 2)) == UInt8(number & 255), "\(name)")
      }
    }
  }

  @Test func pagesInSwapAreNotRemembered() {
    onFourCPUs({ $0.swapPages = 1024 }) { machine, name in
      try machine.mapUser(64, at: base, on: 0)
      for number in 0..<UInt64(64) {
        machine.store(base + number * page, UInt8(number + 1), on: 0)
        _ = machine.load(base + number * page, on: 1)
      }
      let before = machine.work
      #expect(machine.evictEverything() >= 64, "\(name)")
      let shootdowns = (machine.work - before)[.shootdown]
      #expect(shootdowns >= 1 && shootdowns < 64, "\(name): \(shootdowns)")
      machine.expectSound(name)
      for number in 0..<UInt64(64) {
        #expect(machine.load(base + number * page, on: 1) == UInt8(number + 1), "\(name)")
      }
    }
  }

  @Test func aCPUThatWasAwayForgetsOnlyWhatChanged() {
    onFourCPUs { machine, name in
      try machine.mapUser(4, at: base, on: 1)
      machine.store(base, 1, on: 1)
      try machine.run(2, on: 1)
      try machine.run(1, on: 1)
      let walks = machine.walks(on: 1)
      #expect(machine.load(base, on: 1) == 1, "\(name)")
      #expect(machine.walks(on: 1) == walks, "\(name): a switch does not flush")
      try machine.run(2, on: 1)
      let before = machine.work
      try machine.call(.munmap, [base, page], on: 0)
      #expect((machine.work - before)[.interrupt] == 0, "\(name): nobody else runs the space")
      #expect(machine.load(base, on: 1) == nil, "\(name): process 2 has nothing there")
      try machine.run(1, on: 1)
      machine.expectSound(name)
      #expect(machine.load(base, on: 1) == nil, "\(name)")
    }
  }

  @Test func anIdleCPUIsNotInterrupted() {
    onFourCPUs { machine, name in
      try machine.mapUser(4, at: base, on: 1)
      for number in 0..<UInt64(4) { machine.store(base + number * page, 7, on: 1) }
      machine.idle(1)
      let switches = machine.work[.spaceSwitch]
      try machine.run(1, on: 1)
      let walks = machine.walks(on: 1)
      #expect(machine.load(base, on: 1) == 7, "\(name)")
      #expect(machine.walks(on: 1) == walks, "\(name): nothing changed meanwhile")
      machine.idle(1)
      let before = machine.work
      try machine.call(.munmap, [base, page], on: 0)
      #expect((machine.work - before)[.interrupt] == 0, "\(name)")
      try machine.run(1, on: 1)
      #expect(machine.work[.spaceSwitch] == switches, "\(name): no registers were loaded")
      machine.expectSound(name)
      #expect(machine.load(base, on: 1) == nil, "\(name)")
      #expect(machine.load(base + page, on: 1) == 7, "\(name)")
      // The space goes while a CPU still has it in its registers.
      machine.idle(1)
      machine.exit(1)
      let area = try machine.allocate(1)
      #expect(machine.kernelStore(area.start, 3, on: 1), "\(name)")
      try machine.start(4)
      try machine.run(4, on: 1)
      #expect(machine.load(base + page, on: 1) == nil, "\(name)")
    }
  }

  @Test func workIsCountedWhereItIsDone() {
    onFourCPUs { machine, name in
      try machine.mapUser(16, at: base, on: 0)
      let before = machine.work(on: 0)
      for number in 0..<UInt64(16) { machine.store(base + number * page, 1, on: 1) }
      #expect(machine.work(on: 1)[.pageFault, .faultEntry] == 16, "\(name)")
      #expect(machine.work(on: 0) == before, "\(name)")
      try machine.call(.munmap, [base, 16 * page], on: 1)
      #expect(machine.work(on: 1)[.systemCall, .flush, .interrupt] == 1, "\(name)")
      #expect(machine.work(on: 0) == before, "\(name)")
    }
  }

  @Test func aCPUAloneInterruptsNobody() {
    onEveryDriver { machine, name in
      try machine.start(1)
      try machine.run(1, on: 0)
      try machine.mapUser(16, at: base, on: 0)
      for number in 0..<UInt64(16) { machine.store(base + number * page, 1, on: 0) }
      try machine.fork(2, of: 1)
      machine.store(base, 2, on: 0)
      try machine.call(.munmap, [base, 16 * page], on: 0)
      try machine.free(try machine.allocate(3))
      machine.exit(1)
      machine.exit(2)
      #expect(machine.work[.shootdown] + machine.work[.interrupt] == 0, "\(name)")
    }
  }
}

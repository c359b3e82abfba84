// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// The n-th allocation fails, for every n, while huge pages are mapped, split, copied and made: what a program sees is
/// as before or as asked for, and no frame is lost.
struct HugePageExhaustionTests {
  private typealias Step = (any AnyComputer) throws(Errno) -> Void

  private func mark(_ number: UInt64) -> UInt8 { UInt8(number % 251) + 1 }

  /// Runs `step` on two marked huge pages with the n-th allocation failing, until it succeeds.
  private func exhaust(_ driver: TestDriver, isUnchanged: Bool = true, _ step: Step) throws {
    for allowed in 0..<200 {
      let computer = try driver.computer()
      try computer.map(1024, at: hugeBase)
      for number in stride(from: UInt64(0), to: 1024, by: 37) {
        computer.store(hugeBase + number * page, mark(number))
      }
      let areas = computer.areaCount(pid: 1)
      computer.frames.injectFailure(after: allowed, staysBroken: true)
      var failure: Errno?
      do throws(Errno) { try step(computer) } catch { failure = error }
      computer.frames.stopInjectingFailures()
      computer.expectSound("\(driver), \(allowed) allocations")
      if let failure {
        #expect(failure == .enomem || failure == .eagain)
        #expect(computer.resident == 1024)
        if isUnchanged { #expect(computer.areaCount(pid: 1) == areas) }
        for number in stride(from: UInt64(0), to: 1024, by: 37) {
          #expect(computer.load(hugeBase + number * page) == .byte(mark(number)))
          #expect(computer.store(hugeBase + number * page, 77) == .byte(77))
        }
      }
      computer.expectSound("\(driver), \(allowed) allocations, afterwards")
      computer.finish()
      if failure == nil { return }
    }
    Issue.record("the step never succeeded")
  }

  @Test(arguments: TestDriver.allCases) func unmap(_ driver: TestDriver) throws {
    try exhaust(driver) { (computer) throws(Errno) in
      try computer.call(.munmap, [hugeBase + 100 * page, 800 * page])
    }
  }

  @Test(arguments: TestDriver.allCases) func protect(_ driver: TestDriver) throws {
    try exhaust(driver) { (computer) throws(Errno) in
      try computer.call(.mprotect, [hugeBase + 100 * page, 800 * page, 1])
    }
  }

  @Test(arguments: TestDriver.allCases) func remap(_ driver: TestDriver) throws {
    try exhaust(driver) { (computer) throws(Errno) in
      try computer.call(.mremap, [hugeBase, 1024 * page, 1024 * page, 3, hugeBase + 64 * huge + page])
    }
  }

  @Test(arguments: TestDriver.allCases) func moveWhole(_ driver: TestDriver) throws {
    try exhaust(driver) { (computer) throws(Errno) in
      try computer.call(.mremap, [hugeBase, 1024 * page, 1024 * page, 3, hugeBase + (1 << 40)])
    }
  }

  @Test(arguments: TestDriver.allCases) func forget(_ driver: TestDriver) throws {
    try exhaust(driver) { (computer) throws(Errno) in
      try computer.call(.madvise, [hugeBase + 100 * page, page, 4])
    }
  }

  @Test(arguments: TestDriver.allCases) func forkAndWrite(_ driver: TestDriver) throws {
    try exhaust(driver) { (computer) throws(Errno) in
      try computer.fork(2, of: 1)
      guard computer.store(hugeBase + 3 * page, 9, pid: 2) == .byte(9) else {
        computer.expectSound()
        throw .enomem
      }
      #expect(computer.load(hugeBase, pid: 2) == .byte(1))
      #expect(computer.load(hugeBase + 3 * page) == .byte(0))
    }
  }

  @Test(arguments: TestDriver.allCases) func faults(_ driver: TestDriver) throws {
    var allowed = 0
    var isDone = false
    while !isDone, allowed < 100 {
      let computer = try driver.computer()
      try computer.map(2048, at: hugeBase)
      computer.frames.injectFailure(after: allowed, staysBroken: true)
      let read = computer.load(hugeBase)
      let write = computer.store(hugeBase + page, 1)
      let fresh = computer.store(hugeBase + huge, 2)
      computer.frames.stopInjectingFailures()
      isDone = read == .byte(0) && write == .byte(1) && fresh == .byte(2) && computer.isHuge(hugeBase + huge)
      for outcome in [read, write, fresh] {
        if case .refused = outcome { Issue.record("\(outcome)") }
      }
      #expect(computer.load(hugeBase) == .byte(0))
      #expect(computer.store(hugeBase + page, 3) == .byte(3))
      #expect(computer.store(hugeBase + huge + page, 4) == .byte(4))
      #expect(computer.load(hugeBase + huge) == .byte(fresh == .byte(2) ? 2 : 0))
      computer.expectSound("\(driver) \(allowed)")
      computer.finish()
      allowed += 1
    }
    #expect(isDone)
  }
}

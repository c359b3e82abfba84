// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// The n-th allocation fails, for every n: calls answer with an errno and leave everything as it was, and nothing is lost.
struct HugeTLBExhaustionTests {
  private typealias Step = (any PoolComputer, UInt64) throws(Errno) -> Void

  /// Runs `step` with the n-th allocation failing, until it succeeds: on four pages of which the first two are marked, and
  /// a pool that may have four surplus pages.
  private func exhaust(_ driver: PoolDriver, _ step: Step) throws {
    for allowed in 0..<60 {
      let computer = try driver.computer(pages: 5)
      try computer.setOvercommit(4)
      let start = try computer.mapHuge(4, at: hugeBase)
      for page in 0..<UInt64(2) {
        #expect(computer.store(UInt8(page + 1), page: page, of: start) == .byte(UInt8(page + 1)))
      }
      let (areas, pool) = (computer.areaCount(pid: 1), computer.pool)
      computer.frames.injectFailure(after: allowed, staysBroken: true)
      var failure: Errno?
      do throws(Errno) { try step(computer, start) } catch { failure = error }
      computer.frames.stopInjectingFailures()
      computer.expectSound("\(driver), \(allowed) allocations")
      if let failure {
        #expect(failure == .enomem || failure == .enospc)
        #expect(computer.areaCount(pid: 1) == areas)
        #expect(computer.pool == pool, "\(driver), \(allowed) allocations")
        for page in 0..<UInt64(2) {
          #expect(computer.load(page: page, of: start) == .byte(UInt8(page + 1)))
          #expect(computer.store(9, page: page, of: start) == .byte(9))
        }
        #expect(computer.store(9, page: 3, of: start) == .byte(9))
      }
      computer.finish()
      if failure == nil { return }
    }
    Issue.record("the step never succeeded")
  }

  @Test(arguments: PoolDriver.allCases) func map(_ driver: PoolDriver) throws {
    try exhaust(driver) { (computer, _) throws(Errno) in _ = try computer.mapHuge(4) }
  }

  @Test(arguments: PoolDriver.allCases) func segment(_ driver: PoolDriver) throws {
    try exhaust(driver) { (computer, _) throws(Errno) in try computer.call(.shmget, [0, 3 * huge, 0o5600]) }
  }

  @Test(arguments: PoolDriver.allCases) func move(_ driver: PoolDriver) throws {
    try exhaust(driver) { (computer, start) throws(Errno) in
      try computer.call(.mremap, [start, 4 * huge, 4 * huge, 3, start + (1 << 40)])
      #expect(computer.load(page: 1, of: start + (1 << 40)) == .byte(2))
    }
  }

  @Test(arguments: PoolDriver.allCases) func touch(_ driver: PoolDriver) throws {
    try exhaust(driver) { (computer, start) throws(Errno) in
      let file = try computer.hugeFile()
      let before = computer.pool
      func end(_ outcome: AccessOutcome, _ mapped: [UInt64]) throws(Errno) {
        for address in mapped { try computer.call(.munmap, [address, huge]) }
        _ = file
        if outcome != .byte(5) {
          #expect(outcome == .outOfMemory || outcome == .refused(.noHugePage), "\(outcome)")
          computer.expectSound()
          #expect(computer.pool[1] >= before[1])
          throw .enomem
        }
      }
      let own = try computer.mapHuge(1, at: start + (1 << 40), flags: Flag.private | Flag.noReserve)
      try end(computer.store(5, page: 0, of: own), [own])
    }
  }

  @Test(arguments: PoolDriver.allCases) func forkAndWrite(_ driver: PoolDriver) throws {
    for allowed in 0..<60 {
      let computer = try driver.computer(pages: 3)
      try computer.setOvercommit(4)
      let start = try computer.mapHuge(2)
      for page in 0..<UInt64(2) { #expect(computer.store(1, page: page, of: start) == .byte(1)) }
      computer.frames.injectFailure(after: allowed, staysBroken: true)
      var isDone = false
      do {
        try computer.fork(2, of: 1)
        let outcomes = (0..<UInt64(2)).map { computer.store(2, page: $0, of: start, pid: 2) }
        isDone = outcomes == [.byte(2), .byte(2)]
        for outcome in outcomes where outcome != .byte(2) {
          #expect(outcome == .refused(.noHugePage) || outcome == .outOfMemory)
        }
      } catch { #expect(error == .enomem) }
      computer.frames.stopInjectingFailures()
      computer.expectSound("\(driver), \(allowed) allocations")
      for page in 0..<UInt64(2) { #expect(computer.load(page: page, of: start) == .byte(1)) }
      computer.exit(2)
      #expect(computer.pool == [3, 1, 0, 0])
      computer.finish()
      if isDone { return }
    }
    Issue.record("the child never had its pages")
  }

  @Test(arguments: PoolDriver.allCases) func growThePool(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 2)
    computer.frames.injectFailure(after: 3, staysBroken: true)
    #expect(try computer.setPool(9) == 5)
    computer.frames.stopInjectingFailures()
    #expect(computer.pool == [5, 5, 0, 0])
    computer.finish()
  }
}

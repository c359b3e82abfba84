// SPDX-License-Identifier: MIT
import ECPT
import EMTCore
import FPT
import Hashed
import Radix
import SimMemory
import Testing
import VMM

/// Runs a generic scenario on every driver.
protocol Scenario {
  func run<Service: TranslationService>(_ service: Service.Type) throws
}

extension Scenario {
  func runEverywhere() throws {
    try run(RadixService.self)
    try run(Radix5Service.self)
    try run(HashedService.self)
    try run(ECPTService.self)
    try run(FPTL3L2Service.self)
    try run(FPTL4L3Service.self)
    try run(FPTL4L3L2L1Service.self)
    try run(BasicOnlyService<RadixDatabase>.self)
  }
}

/// Pages that leave memory and come back, by their bytes.
struct SwapTests {
  private struct RoundTrips: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.swapOn(pages: 64)
      let base = try computer.map(16)
      for number in 0..<UInt64(16) { computer.store(base + number * page + number, UInt8(number + 1)) }
      for round in 0..<UInt64(4) {
        try computer.call(.madvise, [base, 16 * page, 21])
        #expect(computer.process.space.residentPages == 0)
        #expect(computer.process.space.swappedPages == 16)
        #expect(computer.kernel.swap.used == 16)
        let faults = computer.process.space.faults
        for number in 0..<UInt64(16) {
          #expect(
            computer.load(base + number * page + number) == .byte(UInt8(number + 1 + round * (number & 1))))
        }
        #expect(computer.process.space.faults.major == faults.major + 16)
        for number in 0..<UInt64(16) where number & 1 == 1 {
          computer.store(base + number * page + number, UInt8(number + 2 + round))
        }
      }
      // Pages that were only read are clean: the second to fourth time only the eight written ones were stored.
      #expect(computer.kernel.reclaimCounts.swappedOut == 16 + 3 * 8)
      try computer.call(.munmap, [base, 4 * page])
      try computer.call(.madvise, [base + 4 * page, 12 * page, 21])
      try computer.call(.mremap, [base + 4 * page, 4 * page, 4 * page, 3, 0x1234_5678_0000])
      try computer.call(.mprotect, [base + 8 * page, 8 * page, 1])
      #expect(computer.load(0x1234_5678_0000 + 4) == .byte(5))
      #expect(computer.load(base + 8 * page + 8) == .byte(9))
      #expect(computer.store(base + 8 * page, 1) == .refused(.notAllowed))
      try computer.call(.mprotect, [base + 8 * page, 8 * page, 3])
      #expect(computer.store(base + 10 * page, 77) == .byte(77))
      #expect(computer.load(base + 10 * page + 10) == .byte(11))
      computer.finish()
    }
  }
  @Test func roundTrips() throws { try RoundTrips().runEverywhere() }

  private struct Families: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.swapOn(pages: 64)
      let base = try computer.map(8)
      for number in 0..<UInt64(8) { computer.store(base + number * page, UInt8(number + 1)) }
      try computer.call(.madvise, [base, 4 * page, 21])
      // Half is in swap, half in memory, and both are shared now.
      let child = try computer.kernel.fork(computer.process, child: 2)
      let grandchild = try computer.kernel.fork(child, child: 3)
      #expect(child.space.swappedPages == 4)
      #expect(computer.kernel.swap.used == 4)
      for number in 0..<UInt64(8) {
        #expect(computer.load(base + number * page, in: child) == .byte(UInt8(number + 1)))
      }
      // What the child read is shared in memory: no further read for the others.
      let swappedIn = computer.kernel.reclaimCounts.swappedIn
      for number in 0..<UInt64(4) { #expect(computer.load(base + number * page) == .byte(UInt8(number + 1))) }
      #expect(computer.kernel.reclaimCounts.swappedIn == swappedIn)
      computer.store(base, 100)
      computer.store(base + page, 101, in: child)
      computer.store(base + 2 * page, 102, in: grandchild)
      computer.store(base + 4 * page, 104, in: child)
      for (process, expected) in [
        (computer.process, [100, 2, 3, 4, 5] as [UInt8]), (child, [1, 101, 3, 4, 104]),
        (grandchild, [1, 2, 102, 4, 5]),
      ] {
        for (number, byte) in expected.enumerated() {
          #expect(computer.load(base + UInt64(number) * page, in: process) == .byte(byte))
        }
      }
      #expect(computer.kernel.reverseMapFault() == nil)
      computer.kernel.exit(2)
      try computer.call(.madvise, [base, 8 * page, 21])
      #expect(computer.load(base + page, in: grandchild) == .byte(2))
      #expect(computer.load(base) == .byte(100))
      computer.finish()
    }
  }
  @Test func familiesShareSlots() throws { try Families().runEverywhere() }

  private struct TakingOff: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let first = try computer.kernel.swapOn(pages: 8, priority: 5)
      let second = try computer.kernel.swapOn(pages: 32)
      let base = try computer.map(16)
      let ours = try computer.map(4, flags: 0x21)
      for number in 0..<UInt64(16) { computer.store(base + number * page, UInt8(number + 1)) }
      for number in 0..<UInt64(4) { computer.store(ours + number * page, UInt8(number + 50)) }
      try computer.call(.madvise, [base, 16 * page, 21])
      try computer.call(.madvise, [ours, 4 * page, 21])
      #expect(computer.kernel.swap.areas[first]?.used == 8, "the first area is filled first")
      #expect(computer.kernel.swap.areas[second]?.used == 12)
      let child = try computer.kernel.fork(computer.process, child: 2)
      let frames = computer.owner.platform.frames
      frames.injectFailure(after: 3, staysBroken: true)
      #expect(throws: Errno.enomem) { try computer.kernel.swapOff(first) }
      frames.stopInjectingFailures()
      #expect(computer.process.space.residentPages == 0)
      try computer.kernel.swapOff(first)
      #expect(computer.kernel.swap.slots == 32)
      try computer.kernel.swapOff(second)
      #expect(throws: Errno.einval) { try computer.kernel.swapOff(second) }
      #expect(computer.process.space.swappedPages == 0 && child.space.swappedPages == 0)
      for number in 0..<UInt64(16) {
        #expect(computer.load(base + number * page, in: child) == .byte(UInt8(number + 1)))
        computer.store(base + number * page, 7)
        #expect(computer.load(base + number * page, in: child) == .byte(UInt8(number + 1)))
      }
      for number in 0..<UInt64(4) {
        #expect(computer.load(ours + number * page) == .byte(UInt8(number + 50)))
      }
      computer.finish()
    }
  }
  @Test func swapOffBringsEverythingBack() throws { try TakingOff().runEverywhere() }

  private struct Locks: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.swapOn(pages: 64)
      let base = try computer.map(8)
      for number in 0..<UInt64(8) { computer.store(base + number * page, UInt8(number + 1)) }
      try computer.call(.madvise, [base, 8 * page, 21])
      #expect(
        computer.kernel.residentPages(
          computer.process.space, VirtualRange(VirtualAddress(base), bytes: 8 * page)) == 0)
      try computer.call(.mlock, [base, 4 * page])
      #expect(computer.process.space.residentPages == 4, "locking brings pages in")
      // A child shares the pages and has no lock: the parent's still counts.
      let child = try computer.kernel.fork(computer.process, child: 2)
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.process.space.residentPages == 4)
      for number in 0..<UInt64(8) {
        #expect(computer.load(base + number * page, in: child) == .byte(UInt8(number + 1)))
      }
      computer.kernel.exit(2)
      try computer.call(.munlock, [base, 4 * page])
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.process.space.residentPages == 0)
      #expect(computer.load(base) == .byte(1))
      computer.finish()
    }
  }
  @Test func lockedPagesStay() throws { try Locks().runEverywhere() }
}

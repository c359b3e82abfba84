// SPDX-License-Identifier: MIT
import EMTCore
import Hashed
import Radix
import SimMemory
import Testing
import VMM

/// The n-th allocation fails, for every n: nothing is lost, and what survives is right.
struct ExhaustionTests {
  @Test func radix() throws { try exhaust(RadixService.self) }
  @Test func hashed() throws { try exhaust(HashedService.self) }

  @Test func withSwap() throws { try SwapExhaustion().runEverywhere() }

  private func exhaust<Service: TranslationService>(_ service: Service.Type) throws {
    var allowed = 0
    var isDone = false
    while !isDone, allowed < 400 {
      let computer = try Computer<Service>(bytes: 32 << 20)
      let frames = computer.owner.platform.frames
      frames.injectFailure(after: allowed, staysBroken: true)
      isDone = scenario(computer)
      frames.stopInjectingFailures()
      if let base = try? computer.map(2) { #expect(computer.store(base, 3) == .byte(3)) }
      for process in computer.kernel.processes.values {
        #expect(process.space.layout.areas.brokenInvariant() == nil)
      }
      computer.finish()
      allowed += 1
    }
    #expect(isDone, "the scenario ends when enough allocations succeed")
    #expect(allowed > 10, "it does allocate")
  }

  /// - Returns: whether everything succeeded.
  private func scenario<Service: TranslationService>(_ computer: Computer<Service>) -> Bool {
    do {
      let base = try computer.map(16)
      for number in 0..<UInt64(8) {
        guard computer.store(base + number * page, UInt8(number)) == .byte(UInt8(number)) else {
          return false
        }
      }
      let populated = try computer.map(8, flags: 0x8022)
      try computer.call(.mprotect, [base + 2 * page, 2 * page, 1])
      let child = try computer.kernel.fork(computer.process, child: 2)
      guard computer.store(base, 9, in: child) == .byte(9) else { return false }
      #expect(computer.load(base) == .byte(0))
      let moved = try computer.call(.mremap, [base + 4 * page, 4 * page, 600 * page, 1])
      #expect(computer.load(moved + 3 * page) == .byte(7))
      try computer.call(.madvise, [populated + page, 4 * page, 102])
      #expect(computer.load(populated + page) == .refused(.notMapped))
      let far = try computer.map(2, at: 0x1234_5678_0000, flags: 0x32)
      try computer.call(.mlock, [far, 2 * page])
      let file = try computer.memfd(size: 4 * page)
      let shared = try computer.call(.mmap, [0, 4 * page, 3, 1, file, 0])
      guard computer.store(shared + page, 1) == .byte(1) else { return false }
      try computer.call(.madvise, [shared, 4 * page, 23])
      return computer.kernel.timesOutOfMemory == 0
    } catch {
      #expect([.enomem, .eagain, .efault].contains(error), "\(error)")
      return false
    }
  }
}

/// The n-th allocation fails while pages come back from swap: every page keeps its bytes.
private struct SwapExhaustion: Scenario {
  func run<Service: TranslationService>(_ service: Service.Type) throws {
    for allowed in 0..<12 {
      let computer = try Computer<Service>(bytes: 32 << 20)
      try computer.kernel.swapOn(pages: 64)
      let base = try computer.map(8)
      let ours = try computer.map(4, flags: 0x21)
      for number in 0..<UInt64(8) { computer.store(base + number * page, UInt8(number + 1)) }
      for number in 0..<UInt64(4) { computer.store(ours + number * page, UInt8(number + 51)) }
      try computer.call(.madvise, [base, 8 * page, 21])
      try computer.call(.madvise, [ours, 4 * page, 21])
      let frames = computer.owner.platform.frames
      frames.injectFailure(after: allowed, staysBroken: true)
      let child = try? computer.kernel.fork(computer.process, child: 2)
      for number in 0..<UInt64(4) {
        let found = computer.store(base + number * page, 100, in: child)
        #expect(found == .byte(100) || found == .outOfMemory)
      }
      _ = computer.refusal(.madvise, [base, 8 * page, 3])
      _ = computer.refusal(.mlock, [base + 6 * page, page])
      _ = computer.load(ours)
      frames.stopInjectingFailures()
      if child != nil {
        for number in 0..<UInt64(8) {
          #expect(computer.load(base + number * page) == .byte(UInt8(number + 1)))
        }
      }
      for number in 4..<UInt64(8) { #expect(computer.load(base + number * page) == .byte(UInt8(number + 1))) }
      for number in 0..<UInt64(4) {
        #expect(computer.load(ours + number * page) == .byte(UInt8(number + 51)))
      }
      computer.finish()
    }
  }
}

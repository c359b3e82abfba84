// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// More memory in use than there is.
struct PressureTests {
  private struct FourTimes: Scenario {
    var policy: ReclaimPolicy
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      // 4 MiB, a quarter of which some drivers' kernel tables take.
      let computer = try Computer<Service>(bytes: 4 << 20)
      computer.kernel.reclaimPolicy = policy
      let pages: UInt64 = 4 * (4 << 20) / page
      try computer.kernel.swapOn(pages: 2 * pages)
      let base = try computer.map(pages)
      for number in 0..<pages {
        #expect(
          computer.store(base + number * page + number % page, UInt8(truncatingIfNeeded: number / 7))
            != .outOfMemory)
      }
      var state: UInt64 = 7
      for _ in 0..<1000 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let number = (state >> 33) % pages
        #expect(
          computer.load(base + number * page + number % page) == .byte(UInt8(truncatingIfNeeded: number / 7)),
          "page \(number) on \(service)")
      }
      #expect(computer.kernel.shortageReport == nil)
      #expect(computer.kernel.reverseMapFault() == nil)
      let child = try computer.kernel.fork(computer.process, child: 2)
      for number in stride(from: 0, to: pages, by: 3) {
        computer.store(base + number * page + number % page, 1, in: child)
      }
      for number in stride(from: UInt64(0), to: pages, by: 5) {
        #expect(
          computer.load(base + number * page + number % page) == .byte(UInt8(truncatingIfNeeded: number / 7)))
      }
      computer.finish()
    }
  }
  @Test func fourTimesTheMemoryWorksWithSwap() throws {
    try FourTimes(policy: .activeInactive).runEverywhere()
  }
  @Test func generationsDoToo() throws { try FourTimes(policy: .generations).run(RadixService.self) }

  private struct FullSwap: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>(bytes: 4 << 20)
      try computer.kernel.swapOn(pages: 500)
      let base = try computer.map(8192)
      var stored: UInt64 = 0
      while stored < 8192,
        computer.store(base + stored * page, UInt8(truncatingIfNeeded: stored)) != .outOfMemory
      {
        stored += 1
      }
      #expect(stored > 1000 && stored < 8192)
      let report = try #require(computer.kernel.shortageReport)
      #expect(report.contains("largest is process 1"))
      for number in stride(from: 0, to: stored, by: 401) {
        let found = computer.load(base + number * page)
        #expect(found == .byte(UInt8(truncatingIfNeeded: number)) || found == .outOfMemory)
      }
      computer.finish()
    }
  }
  @Test func fullSwapEndsInAReport() throws { try FullSwap().runEverywhere() }

  private struct Killer: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>(bytes: 4 << 20)
      computer.kernel.reclaimSettings.kills = true
      try computer.kernel.swapOn(pages: 200)
      let greedy = try computer.kernel.start(9)
      let theirs = try computer.map(4096, in: greedy)
      let mine = try computer.map(4096)
      for number in 0..<UInt64(600) { computer.store(theirs + number * page, 1, in: greedy) }
      for number in 0..<UInt64(550) {
        let byte = UInt8(truncatingIfNeeded: number)
        #expect(computer.store(mine + number * page, byte) == .byte(byte))
      }
      #expect(computer.kernel.processes[9] == nil)
      #expect(computer.kernel.shortageReport?.contains("largest is process 9") == true)
      for number in 0..<UInt64(550) {
        #expect(computer.load(mine + number * page) == .byte(UInt8(truncatingIfNeeded: number)))
      }
      computer.finish()
    }
  }
  @Test func theLargestProcessIsKilled() throws { try Killer().run(RadixService.self) }
}

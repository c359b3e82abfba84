// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Advice on the use of pages, second chances and write-back, by bytes and by what is in memory.
struct ReclaimAdviceTests {
  private struct LazyFree: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let base = try computer.map(4)
      for number in 0..<UInt64(4) { computer.store(base + number * page, UInt8(number + 1)) }
      try computer.call(.madvise, [base, 4 * page, 8])
      #expect(computer.load(base) == .byte(1), "nothing goes while memory is there")
      computer.store(base + page, 9)
      // There is no swap: lazily freed pages go without.
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.process.space.residentPages == 1)
      #expect(computer.load(base) == .byte(0))
      #expect(computer.load(base + page) == .byte(9), "a write keeps the page")
      #expect(computer.load(base + 3 * page) == .byte(0))
      #expect(computer.kernel.reclaimCounts.dropped == 3)
      try computer.kernel.swapOn(pages: 8)
      try computer.call(.madvise, [base, 2 * page, 21])
      try computer.call(.madvise, [base, 2 * page, 8])
      #expect(computer.kernel.swap.used == 0, "what is in swap goes at once")
      #expect(computer.load(base + page) == .byte(0))
      computer.finish()
    }
  }
  @Test func lazilyFreedPages() throws { try LazyFree().runEverywhere() }

  private struct ReadAhead: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.swapOn(pages: 8)
      let base = try computer.map(4)
      for number in 0..<UInt64(4) { computer.store(base + number * page, UInt8(number + 1)) }
      try computer.call(.madvise, [base, 4 * page, 21])
      try computer.call(.madvise, [base, 2 * page, 3])
      let faults = computer.process.space.faults
      let whole = VirtualRange(VirtualAddress(base), bytes: 4 * page)
      #expect(computer.kernel.residentPages(computer.process.space, whole) == 2)
      for number in 0..<UInt64(4) { #expect(computer.load(base + number * page) == .byte(UInt8(number + 1))) }
      #expect(computer.process.space.faults.major == faults.major + 2)
      #expect(computer.process.space.faults.minor == faults.minor + 2)
      computer.finish()
    }
  }
  @Test func willNeedReadsAhead() throws { try ReadAhead().runEverywhere() }

  private struct Order: Scenario {
    var policy: ReclaimPolicy
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      computer.kernel.reclaimPolicy = policy
      try computer.kernel.swapOn(pages: 1024)
      let base = try computer.map(512)
      for number in 0..<UInt64(512) { computer.store(base + number * page, UInt8(number & 255)) }
      let hot = VirtualRange(VirtualAddress(base + 448 * page), bytes: 64 * page)
      for _ in 0..<6 {
        for number in 448..<UInt64(512) { _ = computer.load(base + number * page) }
        #expect(computer.kernel.reclaim(node: 0, count: 32) >= 32)
      }
      let faults = computer.process.space.faults.major
      #expect(
        computer.kernel.residentPages(computer.process.space, hot) == 64,
        "\(policy) on \(service): pages in use stay longer than others")
      #expect(computer.process.space.swappedPages >= 6 * 32)
      #expect(faults == 0)
      for number in 0..<UInt64(512) {
        #expect(computer.load(base + number * page) == .byte(UInt8(number & 255)))
      }
      #expect(computer.kernel.reverseMapFault() == nil)
      computer.finish()
    }
  }
  @Test func pagesInUseGetASecondChance() throws { try Order(policy: .activeInactive).runEverywhere() }
  @Test func generations() throws { try Order(policy: .generations).runEverywhere() }

  private struct Cold: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.swapOn(pages: 64)
      let base = try computer.map(32)
      for number in 0..<UInt64(32) { computer.store(base + number * page, UInt8(number + 1)) }
      try computer.call(.madvise, [base + 24 * page, 8 * page, 20])
      #expect(computer.process.space.residentPages == 32)
      #expect(computer.kernel.reclaim(node: 0, count: 8) == 8)
      let cold = VirtualRange(VirtualAddress(base + 24 * page), bytes: 8 * page)
      #expect(computer.kernel.residentPages(computer.process.space, cold) == 0, "cold pages go first")
      for number in 0..<UInt64(32) {
        #expect(computer.load(base + number * page) == .byte(UInt8(number + 1)))
      }
      computer.finish()
    }
  }
  @Test func coldPagesGoFirst() throws { try Cold().runEverywhere() }

  private struct WriteBack: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      // A file of the file system, as a descriptor that the real kernel knows.
      var known = Circumstances()
      known.isAccepted = true
      let shared = try computer.call(.mmap, [0, 8 * page, 3, 1, 9, 0], known)
      let twin = try computer.call(.mmap, [0, 8 * page, 1, 1, 9, 0], known)
      let copy = try computer.call(.mmap, [0, 8 * page, 3, 2, 9, 0], known)
      for number in 0..<UInt64(8) { computer.store(shared + number * page + 100, UInt8(number + 1)) }
      for number in 0..<UInt64(8) {
        #expect(computer.load(twin + number * page + 100) == .byte(UInt8(number + 1)))
      }
      computer.store(copy + 100, 77)
      #expect(computer.kernel.reverseMapFault() == nil)
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.kernel.reclaimCounts.writtenBack == 8)
      #expect(computer.process.space.residentPages == 1, "the private copy cannot go without swap")
      let faults = computer.process.space.faults
      #expect(computer.load(twin + 3 * page + 100) == .byte(4))
      #expect(computer.process.space.faults.major == faults.major + 1)
      #expect(computer.load(shared + 3 * page + 100) == .byte(4))
      #expect(computer.load(copy + 100) == .byte(77))
      #expect(computer.load(copy + page + 100) == .byte(2))
      computer.store(shared + 3 * page + 101, 40)
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.kernel.reclaimCounts.writtenBack == 9, "only what changed is written again")
      try computer.call(.ftruncate, [9, 3 * page + 101])
      try computer.call(.ftruncate, [9, 8 * page])
      #expect(computer.load(shared + 3 * page + 100) == .byte(4))
      #expect(computer.load(shared + 3 * page + 101) == .byte(0), "what was cut off in storage is zero")
      #expect(computer.load(shared + 5 * page + 100) == .byte(0))
      computer.finish()
    }
  }
  @Test func changedFilePagesAreWrittenBack() throws { try WriteBack().runEverywhere() }

  private struct SharedMemory: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let ours = try computer.map(8, flags: 0x21)
      for number in 0..<UInt64(8) { computer.store(ours + number * page, UInt8(number + 1)) }
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.process.space.residentPages == 8, "shared memory needs swap")
      try computer.kernel.swapOn(pages: 16)
      let child = try computer.kernel.fork(computer.process, child: 2)
      _ = computer.kernel.reclaim(node: 0, count: 100)
      #expect(computer.kernel.swap.used == 8)
      for number in 0..<UInt64(8) {
        #expect(computer.load(ours + number * page, in: child) == .byte(UInt8(number + 1)))
      }
      computer.store(ours + page, 99, in: child)
      #expect(computer.load(ours + page) == .byte(99))
      _ = computer.kernel.reclaim(node: 0, count: 100)
      try computer.call(.madvise, [ours, 4 * page, 9])
      #expect(computer.load(ours + page) == .byte(0))
      #expect(computer.load(ours + 5 * page) == .byte(6))
      computer.finish()
    }
  }
  @Test func sharedMemoryGoesToSwap() throws { try SharedMemory().runEverywhere() }
}

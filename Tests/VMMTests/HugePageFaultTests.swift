// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

let huge: UInt64 = 2 << 20
/// An address aligned to huge pages.
let hugeBase: UInt64 = 0x10_0000_0000

/// Huge pages by fault, the huge page of zeroes, and copy-on-write.
struct HugePageFaultTests {
  @Test(arguments: TestDriver.allCases) func aStoreMapsAHugePage(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    try computer.map(1024, at: hugeBase)
    #expect(computer.store(hugeBase + 5 * page + 7, 42) == .byte(42))
    #expect(computer.isHuge(hugeBase))
    #expect(computer.resident == 512)
    #expect(computer.faults(pid: 1).huge == 1)
    #expect(computer.load(hugeBase + 5 * page + 7) == .byte(42))
    #expect(computer.load(hugeBase + huge - 1) == .byte(0))
    #expect(!computer.isHuge(hugeBase + huge))
    #expect(computer.refusal(.mincore, [hugeBase, 1024 * page, hugeBase]) == nil)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func areasDecideWhereHugePagesFit(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    try computer.map(1024, at: hugeBase + page)
    computer.store(hugeBase + page, 1)
    #expect(!computer.isHuge(hugeBase + page), "the area begins in the middle")
    computer.store(hugeBase + huge, 2)
    #expect(computer.isHuge(hugeBase + huge))
    computer.store(hugeBase + 2 * huge, 3)
    #expect(!computer.isHuge(hugeBase + 2 * huge), "the area ends in the middle")
    try computer.map(512, at: hugeBase + 8 * huge)
    try computer.call(.madvise, [hugeBase + 8 * huge, huge, 15])
    computer.store(hugeBase + 8 * huge, 4)
    #expect(!computer.isHuge(hugeBase + 8 * huge), "the program does not want one")
    try computer.call(.madvise, [hugeBase + 8 * huge, huge, 14])
    computer.store(hugeBase + 8 * huge + page, 5)
    #expect(!computer.isHuge(hugeBase + 8 * huge), "a base page is there")
    _ = try computer.call(.mmap, [hugeBase + 16 * huge, huge, 3, 0x31, .max, 0])
    computer.store(hugeBase + 16 * huge, 6)
    #expect(!computer.isHuge(hugeBase + 16 * huge), "it is shared memory")
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func thePolicyDecides(_ driver: TestDriver) throws {
    for policy in HugePagePolicy.allCases {
      let computer = try driver.computer(HugePageSettings(policy: policy))
      try computer.map(1024, at: hugeBase)
      try computer.call(.madvise, [hugeBase + huge, huge, 14])
      computer.store(hugeBase, 1)
      computer.store(hugeBase + huge, 1)
      #expect(computer.isHuge(hugeBase) == (policy == .always))
      #expect(computer.isHuge(hugeBase + huge) == (policy != .never))
      computer.expectSound()
      computer.finish()
    }
  }

  @Test(arguments: TestDriver.allCases) func untouchedMemoryReadsFromSharedZeroes(_ driver: TestDriver) throws
  {
    let computer = try driver.computer()
    try computer.map(2048, at: hugeBase)
    let free = computer.frames.freeFrames
    for number in 0..<UInt64(4) { #expect(computer.load(hugeBase + number * huge + 9) == .byte(0)) }
    #expect(computer.isHuge(hugeBase + 3 * huge))
    #expect(free - computer.frames.freeFrames < 1024 + 512, "four huge pages share one block")
    #expect(computer.resident == 2048)
    #expect(computer.store(hugeBase + page, 5) == .byte(5))
    #expect(computer.isHuge(hugeBase), "a huge page of its own took the place of zeroes")
    #expect(computer.load(hugeBase + huge + page) == .byte(0))
    try computer.call(.munmap, [hugeBase + huge, page])
    #expect(!computer.isHuge(hugeBase + huge + page))
    #expect(computer.load(hugeBase + huge + page) == .byte(0))
    #expect(computer.store(hugeBase + huge + 2 * page, 8) == .byte(8))
    #expect(computer.load(hugeBase + 2 * huge + 2 * page) == .byte(0))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func withoutZeroPageALoadGetsItsOwn(_ driver: TestDriver) throws {
    var settings = HugePageSettings(policy: .always)
    settings.usesZeroPage = false
    let computer = try driver.computer(settings)
    try computer.map(512, at: hugeBase)
    #expect(computer.load(hugeBase) == .byte(0))
    let faults = computer.faults(pid: 1)
    #expect(computer.store(hugeBase + page, 1) == .byte(1))
    #expect(computer.faults(pid: 1) == faults, "it was writable already")
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func forkSharesAndAStoreSplits(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    try computer.map(1024, at: hugeBase)
    for number in 0..<UInt64(1024) { computer.store(hugeBase + number * page, UInt8(number & 127)) }
    let free = computer.frames.freeFrames
    try computer.fork(2, of: 1)
    #expect(computer.isHuge(hugeBase, pid: 2))
    #expect(free - computer.frames.freeFrames < 512 + 1100, "no contents are copied")
    #expect(computer.store(hugeBase + 3 * page, 200, pid: 2) == .byte(200))
    #expect(!computer.isHuge(hugeBase, pid: 2))
    #expect(computer.isHuge(hugeBase), "the parent's page stays whole")
    #expect(computer.isHuge(hugeBase + huge, pid: 2))
    computer.expectSound()
    for number in 0..<UInt64(1024) {
      #expect(computer.load(hugeBase + number * page) == .byte(UInt8(number & 127)))
      let expected = number == 3 ? 200 : UInt8(number & 127)
      #expect(computer.load(hugeBase + number * page, pid: 2) == .byte(expected))
    }
    try computer.fork(3, of: 1)
    computer.expectSound("a grandchild shares a block that is counted by frames")
    computer.exit(2)
    computer.exit(3)
    computer.expectSound()
    let splits = computer.counts.splits
    #expect(computer.store(hugeBase, 7) == .byte(7))
    #expect(computer.counts.splits == splits, "its only owner may write to it")
    #expect(computer.isHuge(hugeBase))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func withoutABlockBasePagesDo(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    try computer.map(1024, at: hugeBase)
    computer.store(hugeBase + huge, 1)
    computer.frames.injectFailure(after: 0)
    #expect(computer.store(hugeBase, 9) == .byte(9))
    computer.frames.stopInjectingFailures()
    #expect(!computer.isHuge(hugeBase))
    #expect(computer.counts.fallbacks == 1)
    #expect(computer.resident == 513)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func populatingMapsHugePages(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    try computer.map(1024, at: hugeBase, flags: 0x8000)
    #expect(computer.isHuge(hugeBase) && computer.isHuge(hugeBase + huge))
    #expect(computer.resident == 1024)
    try computer.map(1024, at: hugeBase + 8 * huge)
    try computer.call(.madvise, [hugeBase + 8 * huge, 1024 * page, 22])
    #expect(computer.resident == 2048)
    try computer.call(.madvise, [hugeBase + 8 * huge, 1024 * page, 23])
    #expect(computer.resident == 2048)
    computer.expectSound()
    computer.finish()
  }
}

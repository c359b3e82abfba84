// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// A part of a huge page is changed: it is split, and the rest stays as it was.
struct HugePageSplitTests {
  /// Two huge pages with a mark in every base page.
  private func marked(_ driver: TestDriver) throws -> any AnyComputer {
    let computer = try driver.computer()
    try computer.map(1024, at: hugeBase)
    for number in 0..<UInt64(1024) { computer.store(hugeBase + number * page, mark(number)) }
    #expect(computer.isHuge(hugeBase) && computer.isHuge(hugeBase + huge))
    return computer
  }

  private func mark(_ number: UInt64) -> UInt8 { UInt8(number % 251) + 1 }

  private func expectMarks(
    _ computer: any AnyComputer, at address: UInt64, _ numbers: Range<UInt64>, from first: UInt64 = 0
  ) {
    for number in numbers {
      #expect(computer.load(address + number * page) == .byte(mark(number + first)), "page \(number)")
    }
  }

  @Test(arguments: TestDriver.allCases) func unmappingAPartFreesItsFrames(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    let free = computer.frames.freeFrames
    try computer.call(.munmap, [hugeBase + 100 * page, 800 * page])
    #expect(computer.resident == 224)
    #expect(computer.frames.freeFrames > free + 500)
    #expect(computer.load(hugeBase + 100 * page) == .refused(.notMapped))
    #expect(computer.load(hugeBase + 899 * page) == .refused(.notMapped))
    expectMarks(computer, at: hugeBase, 0..<100)
    expectMarks(computer, at: hugeBase, 900..<1024)
    computer.expectSound()
    try computer.call(.munmap, [hugeBase, 1024 * page])
    #expect(computer.resident == 0)
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func wholePagesGoWithoutSplitting(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    try computer.call(.mprotect, [hugeBase, huge, 1])
    #expect(computer.store(hugeBase, 1) == .refused(.notAllowed))
    try computer.call(.madvise, [hugeBase + huge, huge, 4])
    #expect(computer.load(hugeBase + huge) == .byte(0))
    try computer.call(.munmap, [hugeBase, huge])
    #expect(computer.counts.splits == 0)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func protectingAPart(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    try computer.call(.mprotect, [hugeBase + 10 * page, 20 * page, 1])
    #expect(!computer.isHuge(hugeBase))
    #expect(computer.isHuge(hugeBase + huge))
    #expect(computer.store(hugeBase + 10 * page, 1) == .refused(.notAllowed))
    #expect(computer.store(hugeBase + 30 * page, mark(30)) == .byte(mark(30)))
    expectMarks(computer, at: hugeBase, 0..<1024)
    try computer.call(.mprotect, [hugeBase + huge, 512 * page, 0])
    #expect(computer.load(hugeBase + huge) == .refused(.notAllowed))
    try computer.call(.mprotect, [hugeBase + huge, 512 * page, 3])
    #expect(computer.isHuge(hugeBase + huge))
    #expect(computer.store(hugeBase + huge, mark(512)) == .byte(mark(512)))
    expectMarks(computer, at: hugeBase, 0..<1024)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func forgettingAPart(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    try computer.call(.madvise, [hugeBase + 500 * page, 30 * page, 4])
    #expect(computer.resident == 994)
    expectMarks(computer, at: hugeBase, 0..<500)
    for number in UInt64(500)..<530 { #expect(computer.load(hugeBase + number * page) == .byte(0)) }
    expectMarks(computer, at: hugeBase, 530..<1024)
    try computer.call(.madvise, [hugeBase + 4 * page, page, 102])
    #expect(computer.load(hugeBase + 4 * page) == .refused(.notMapped))
    expectMarks(computer, at: hugeBase, 5..<10)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func propertiesOfAPart(_ driver: TestDriver) throws {
    for advice in [UInt64(10), 15, 16, 18] {
      let computer = try marked(driver)
      try computer.call(.madvise, [hugeBase + 5 * page, 5 * page, advice])
      #expect(!computer.isHuge(hugeBase))
      #expect(computer.isHuge(hugeBase + huge))
      try computer.fork(2, of: 1)
      let inside = computer.load(hugeBase + 7 * page, pid: 2)
      #expect(inside == (advice == 10 ? .refused(.notMapped) : .byte(advice == 18 ? 0 : mark(7))))
      #expect(computer.load(hugeBase + 10 * page, pid: 2) == .byte(mark(10)))
      expectMarks(computer, at: hugeBase, 0..<600)
      computer.expectSound("advice \(advice)")
      computer.finish()
    }
    let computer = try marked(driver)
    try computer.call(.mlock, [hugeBase + 5 * page, page])
    #expect(!computer.isHuge(hugeBase) && computer.isHuge(hugeBase + huge))
    try computer.call(.mlock, [hugeBase + huge, huge])
    #expect(computer.isHuge(hugeBase + huge))
    try computer.call(.munlock, [hugeBase + huge, page])
    #expect(!computer.isHuge(hugeBase + huge))
    try computer.call(.mseal, [hugeBase + 100 * page, page, 0])
    expectMarks(computer, at: hugeBase, 0..<1024)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func movingKeepsHugePagesWhereItCan(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    let target = hugeBase + 64 * huge
    try computer.call(.mremap, [hugeBase, 1024 * page, 1024 * page, 3, target])
    #expect(computer.isHuge(target) && computer.isHuge(target + huge))
    #expect(computer.counts.splits == 0)
    #expect(computer.load(hugeBase) == .refused(.notMapped))
    expectMarks(computer, at: target, 0..<1024)
    let odd = hugeBase + 128 * huge + 3 * page
    try computer.call(.mremap, [target, 1024 * page, 1024 * page, 3, odd])
    #expect(!computer.isHuge(odd) && !computer.isHuge(odd + huge))
    expectMarks(computer, at: odd, 0..<1024)
    #expect(computer.resident == 1024)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func movingAndShrinkingAPart(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    let target = hugeBase + 64 * huge + 100 * page
    try computer.call(.mremap, [hugeBase + 100 * page, 924 * page, 900 * page, 3, target])
    expectMarks(computer, at: hugeBase, 0..<100)
    expectMarks(computer, at: target, 0..<900, from: 100)
    #expect(computer.isHuge(target + 412 * page) == false, "its tail was cut off before")
    #expect(computer.load(target + 900 * page) == .refused(.notMapped))
    try computer.call(.mremap, [target, 900 * page, 2000 * page, 1])
    expectMarks(computer, at: target, 0..<900, from: 100)
    try computer.call(.mremap, [target, 2000 * page, 10 * page, 0])
    #expect(computer.resident == 110)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func theBreakShrinksIntoAHugePage(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    let start = try computer.call(.brk, [0])
    let end = (start + 2 * huge) & ~(huge - 1)
    try computer.call(.brk, [end + huge])
    #expect(computer.store(end + 9 * page, 5) == .byte(5))
    #expect(computer.isHuge(end))
    #expect(try computer.call(.brk, [end + 10 * page]) == end + 10 * page)
    #expect(computer.load(end + 9 * page) == .byte(5))
    #expect(computer.load(end + 10 * page) == .refused(.notMapped))
    #expect(computer.resident == 10)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func mappingOverAPart(_ driver: TestDriver) throws {
    let computer = try marked(driver)
    try computer.map(3, at: hugeBase + 511 * page)
    for number in UInt64(511)..<514 { #expect(computer.load(hugeBase + number * page) == .byte(0)) }
    expectMarks(computer, at: hugeBase, 0..<511)
    expectMarks(computer, at: hugeBase, 514..<1024)
    computer.expectSound()
    computer.finish()
  }
}

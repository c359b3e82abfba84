// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Huge pages made of base pages: by the background job and by MADV_COLLAPSE.
struct CollapseTests {
  private let collapse: UInt64 = 25

  /// A huge range with marks in the base pages `numbers`, in a process without huge pages there.
  private func scattered(
    _ driver: TestDriver, _ numbers: StrideTo<UInt64>,
    _ settings: HugePageSettings = HugePageSettings(policy: .madvise)
  ) throws -> any AnyComputer {
    let computer = try driver.computer(settings)
    try computer.map(1024, at: hugeBase)
    for number in numbers { computer.store(hugeBase + number * page, UInt8(number % 251) + 1) }
    #expect(!computer.isHuge(hugeBase))
    return computer
  }

  private func expectMarks(_ computer: any AnyComputer, _ numbers: StrideTo<UInt64>, pid: UInt32 = 1) {
    let marked = Set(numbers)
    for number in UInt64(0)..<512 {
      let expected = marked.contains(number) ? UInt8(number % 251) + 1 : 0
      #expect(computer.load(hugeBase + number * page, pid: pid) == .byte(expected), "page \(number)")
    }
  }

  @Test(arguments: TestDriver.allCases) func theJobCollapses(_ driver: TestDriver) throws {
    let numbers = stride(from: UInt64(3), to: 512, by: 7)
    let computer = try scattered(driver, numbers)
    _ = computer.load(hugeBase)
    #expect(computer.collapseInBackground() == 0, "the program did not ask for it")
    try computer.call(.madvise, [hugeBase, 1024 * page, 14])
    let free = computer.frames.freeFrames
    let before = computer.work
    #expect(computer.collapseInBackground() == 1)
    let work = computer.work - before
    #expect(work[.khugepaged, .contentCopied] == 73)
    #expect(work[.khugepaged, .contentZeroed] == 512 - 73)
    #expect(work[.systemCall, .contentCopied] == 0)
    #expect(computer.isHuge(hugeBase) && !computer.isHuge(hugeBase + huge))
    #expect(computer.resident == 512)
    #expect(free - computer.frames.freeFrames <= 512 - 73 + 80, "the old frames are free again")
    expectMarks(computer, numbers)
    #expect(computer.store(hugeBase + 511 * page, 1) == .byte(1))
    #expect(computer.collapseInBackground() == 0)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func theJobHasLimits(_ driver: TestDriver) throws {
    let numbers = stride(from: UInt64(0), to: 512, by: 2)
    var settings = HugePageSettings(policy: .madvise)
    for (empty, shared, isShared, expected) in [
      (UInt64(255), UInt64(0), false, UInt64(0)), (256, 0, false, 1), (256, 255, true, 0),
      (256, 256, true, 2),
    ] {
      settings.background.maximumEmpty = empty
      settings.background.maximumShared = shared
      let computer = try scattered(driver, numbers, settings)
      try computer.call(.madvise, [hugeBase, huge, 14])
      if isShared { try computer.fork(2, of: 1) }
      #expect(computer.collapseInBackground() == expected, "\(empty) \(shared)")
      if isShared {
        expectMarks(computer, numbers, pid: 2)
        #expect(computer.store(hugeBase, 99) == .byte(99))
        #expect(computer.load(hugeBase, pid: 2) == .byte(1))
        #expect(computer.load(hugeBase + 2 * page, pid: 2) == .byte(3))
      } else {
        expectMarks(computer, numbers)
      }
      computer.expectSound()
      computer.finish()
    }
  }

  @Test(arguments: TestDriver.allCases) func passesGoOnWhereTheyStopped(_ driver: TestDriver) throws {
    var settings = HugePageSettings(policy: .madvise)
    settings.background.pagesPerPass = 1024
    let computer = try driver.computer(settings)
    try computer.map(512 * 5, at: hugeBase)
    for number in UInt64(0)..<5 { computer.store(hugeBase + number * huge + page, UInt8(number)) }
    try computer.call(.madvise, [hugeBase, 5 * huge, 14])
    try computer.fork(2, of: 1)
    #expect((0..<6).map { _ in computer.collapseInBackground() } == [2, 2, 2, 2, 2, 0])
    for pid in UInt32(1)...2 {
      for number in UInt64(0)..<5 {
        #expect(computer.isHuge(hugeBase + number * huge, pid: pid))
        #expect(computer.load(hugeBase + number * huge + page, pid: pid) == .byte(UInt8(number)))
      }
    }
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func madviseCollapseAnswersLikeLinux(_ driver: TestDriver) throws {
    let numbers = stride(from: UInt64(1), to: 512, by: 100)
    let computer = try scattered(driver, numbers, HugePageSettings(policy: .never))
    #expect(computer.refusal(.madvise, [hugeBase, 2 * huge, collapse]) == .einval, "nothing in the second")
    #expect(computer.isHuge(hugeBase), "but the first was collapsed, whatever the policy")
    #expect(computer.refusal(.madvise, [hugeBase, huge, collapse]) == nil, "it is huge already")
    expectMarks(computer, numbers)
    #expect(computer.refusal(.madvise, [hugeBase + page, page, collapse]) == .einval)
    #expect(computer.refusal(.madvise, [hugeBase + page, huge, collapse]) == nil, "no whole huge page in it")
    #expect(computer.refusal(.madvise, [hugeBase + 2 * huge, huge, collapse]) == .enomem, "a hole")
    try computer.map(300, at: hugeBase + 8 * huge)
    computer.store(hugeBase + 8 * huge, 1)
    #expect(computer.refusal(.madvise, [hugeBase + 8 * huge, 300 * page, collapse]) == .einval, "too small")
    try computer.map(512, at: hugeBase + 16 * huge)
    computer.store(hugeBase + 16 * huge, 1)
    try computer.call(.madvise, [hugeBase + 16 * huge, huge, 15])
    #expect(computer.refusal(.madvise, [hugeBase + 16 * huge, huge, collapse]) == .einval, "not wanted")
    try computer.map(512, at: hugeBase + 24 * huge)
    computer.store(hugeBase + 24 * huge, 1)
    try computer.call(.madvise, [hugeBase + 24 * huge + page, page, 102])
    #expect(computer.refusal(.madvise, [hugeBase + 24 * huge, huge, collapse]) == .einval, "a guard page")
    #expect(computer.load(hugeBase + 24 * huge + page) == .refused(.notMapped))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases) func noBlockNoCollapse(_ driver: TestDriver) throws {
    let numbers = stride(from: UInt64(0), to: 512, by: 3)
    let computer = try scattered(driver, numbers)
    let free = computer.frames.freeFrames
    for allowed in 0..<6 {
      computer.frames.injectFailure(after: allowed, staysBroken: true)
      let refusal = computer.refusal(.madvise, [hugeBase, huge, collapse])
      computer.frames.stopInjectingFailures()
      computer.expectSound()
      expectMarks(computer, numbers)
      guard let refusal else { break }
      #expect(refusal == .enomem)
      #expect(!computer.isHuge(hugeBase))
      #expect(computer.resident == 171 || computer.resident == 512)
      #expect(computer.frames.freeFrames <= free)
    }
    #expect(computer.refusal(.madvise, [hugeBase, huge, collapse]) == nil)
    #expect(computer.isHuge(hugeBase))
    computer.finish()
  }
}

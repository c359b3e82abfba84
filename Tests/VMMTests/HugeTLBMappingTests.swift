// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Mapping pooled huge pages: what is allowed where, and what contents are seen.
struct HugeTLBMappingTests {
  @Test(arguments: PoolDriver.allCases) func freshPagesAreZeroAndKeepTheirBytes(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    for flags in [Flag.private, Flag.shared] {
      let start = try computer.mapHuge(3, flags: flags)
      #expect(start % huge == 0)
      #expect(computer.pool == [8, 8, 3, 0])
      for page in 0..<UInt64(3) {
        #expect(computer.load(page: page, of: start) == .byte(0))
        #expect(computer.store(start + page * huge, UInt8(page + 1)) == .byte(UInt8(page + 1)))
        #expect(computer.store(start + page * huge + huge - 1, UInt8(page + 101)) == .byte(UInt8(page + 101)))
      }
      #expect(computer.pool == [8, 5, 0, 0])
      for page in 0..<UInt64(3) {
        #expect(computer.isHuge(start + page * huge))
        #expect(computer.load(start + page * huge) == .byte(UInt8(page + 1)))
        #expect(computer.load(start + page * huge + huge - 1) == .byte(UInt8(page + 101)))
      }
      computer.expectSound()
      #expect(computer.resident == 0)
      try computer.call(.munmap, [start, 3 * huge])
      #expect(computer.pool == [8, 8, 0, 0])
      computer.expectSound()
    }
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func addressesOffsetsAndLengthsAreChecked(_ driver: PoolDriver) throws
  {
    let computer = try driver.computer()
    let (flags, base) = (Flag.private | Flag.anonymous | Flag.huge, hugeBase)
    #expect(computer.refusal(.mmap, [base + page, huge, 3, flags | Flag.fixed, .max, 0]) == .einval)
    #expect(computer.refusal(.mmap, [base, 0, 3, flags, .max, 0]) == .einval)
    #expect(computer.refusal(.mmap, [base, .max - 5, 3, flags, .max, 0]) == .einval)
    #expect(computer.refusal(.mmap, [base, huge, 3, flags | 19 << 26, .max, 0]) == .einval)
    #expect(computer.refusal(.mmap, [base, huge, 3, flags | 0x100, .max, 0]) == .einval)
    let start = try computer.call(.mmap, [base + page, huge + 1, 3, flags | Flag.huge2M, .max, 0])
    #expect(start == base + huge, "a hint is rounded up")
    #expect(computer.pool == [8, 8, 2, 0], "the length is rounded up")
    #expect(computer.refusal(.munmap, [start, huge + page]) == .einval)
    #expect(computer.refusal(.munmap, [start + page, huge]) == .einval)
    #expect(computer.refusal(.mprotect, [start, page, 1]) == .einval)
    #expect(computer.refusal(.mprotect, [start + huge, huge + page, 3]) == .enomem)
    #expect(computer.refusal(.mmap, [start + page, page, 3, 0x32, .max, 0]) == .einval)
    #expect(computer.refusal(.mseal, [start, page, 0]) == .einval)
    computer.expectSound()
    #expect(computer.areaCount(pid: 1) == 1)
    try computer.call(.munmap, [start, 2 * huge])
    let file = try computer.hugeFile()
    #expect(computer.refusal(.mmap, [0, huge, 3, 1, file, page]) == .einval)
    #expect(computer.refusal(.mmap, [base + page, huge, 3, 1 | Flag.fixed, file, 0]) == .einval)
    try computer.call(.munmap, [try computer.call(.mmap, [0, 5, 3, 1, file, huge]), huge])
    let ordinary = try computer.call(.memfdCreate, [0, 0])
    #expect(computer.refusal(.mmap, [0, huge, 3, 1 | Flag.huge, ordinary, 0]) == .einval)
    computer.finish()
  }

  @Test func mappingsEndWhereUserSpaceEnds() throws {
    let computer = try PoolDriver.radix.computer()
    let top: UInt64 = 0x7FFF_FFE0_0000
    let flags = Flag.shared | Flag.anonymous | Flag.huge
    #expect(computer.refusal(.mmap, [top, huge, 3, flags | Flag.fixed, .max, 0]) == .enomem)
    #expect(computer.refusal(.mmap, [top, 2 * huge, 3, flags | Flag.fixed, .max, 0]) == .enomem)
    #expect(try computer.call(.mmap, [top, 2 * huge, 3, flags, .max, 0]) < top)
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func neighboursOfFourGiB(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let border: UInt64 = 4 << 30
    _ = try computer.mapHuge(1, at: border)
    try computer.map(1, at: border - page)
    #expect(computer.store(border, 1) == .byte(1))
    #expect(computer.store(border - 1, 2) == .byte(2))
    _ = try computer.mapHuge(1, at: 2 * border - huge)
    try computer.map(1, at: 2 * border)
    try computer.map(1, at: 2 * border - huge - page)
    #expect(computer.store(2 * border - 1, 3) == .byte(3))
    #expect(computer.store(2 * border, 4) == .byte(4))
    #expect(computer.store(2 * border - huge - 1, 5) == .byte(5))
    #expect(computer.load(border) == .byte(1))
    #expect(computer.load(2 * border - 1) == .byte(3))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func twoMappingsOfAFileAreOne(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    let first = try computer.mapFile(file, pages: 2)
    let second = try computer.mapFile(file, pages: 2)
    #expect(computer.pool == [8, 8, 2, 0], "both count on the same pages")
    #expect(computer.store(7, page: 1, of: first) == .byte(7))
    #expect(computer.load(page: 1, of: second) == .byte(7))
    #expect(computer.store(8, page: 1, of: second) == .byte(8))
    #expect(computer.load(page: 1, of: first) == .byte(8))
    #expect(computer.pool == [8, 7, 1, 0])
    try computer.call(.munmap, [first, 2 * huge])
    try computer.call(.munmap, [second, 2 * huge])
    #expect(computer.pool == [8, 7, 1, 0], "the file keeps its page and what was promised for it")
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func mountedFilesAreHuge(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    try computer.mount(.twoMiB, at: "/dev/hugepages")
    try computer.open("/dev/hugepages/data", flags: 0o102, as: 5, pid: 1)
    let start = try computer.mapFile(5, pages: 8)
    for page in 0..<UInt64(8) {
      #expect(computer.store(UInt8(page), page: page, of: start) == .byte(UInt8(page)))
    }
    #expect(computer.pool == [8, 0, 0, 0])
    try computer.open("/dev/hugepages/data", flags: 2, as: 6, pid: 1)
    let again = try computer.mapFile(6, pages: 8, flags: Flag.private | Flag.noReserve)
    #expect(computer.load(page: 5, of: again) == .byte(5))
    #expect(computer.store(9, page: 5, of: again) == .refused(.noHugePage), "no page is left for a copy")
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func theHeapAndStacksStopAtHugePages(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let heap = try computer.call(.brk, [0])
    let above = (heap + 4 * huge) & ~(huge - 1)
    _ = try computer.mapHuge(1, at: above)
    #expect(try computer.call(.brk, [above + page]) == heap, "the heap does not grow over it")
    #expect(try computer.call(.brk, [above]) == heap, "a page stays free between the heap and what follows")
    let top = above - page
    #expect(try computer.call(.brk, [top]) == top)
    #expect(computer.store(top - 1, 1) == .byte(1))
    // A stack with a huge page 300 pages below it.
    let stack = hugeBase + huge + 300 * page
    _ = try computer.mapHuge(1, at: hugeBase)
    _ = try computer.call(.mmap, [stack, page, 3, 0x132, .max, 0])
    #expect(computer.store(stack - page, 1) == .byte(1))
    #expect(computer.store(hugeBase + huge + 255 * page, 1) == .refused(.notMapped))
    #expect(computer.store(hugeBase + huge, 1) == .refused(.notMapped))
    #expect(computer.store(hugeBase + huge - 1, 1) == .byte(1))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func otherSizesHaveTheirOwnPools(_ driver: PoolDriver) throws {
    let gib: UInt64 = 1 << 30
    let computer = try driver.computer(pages: 2, bytes: 4 << 30)
    #expect(computer.refusal(.mmap, [0, gib, 3, 0x22 | Flag.huge | Flag.huge1G, .max, 0]) == .enomem)
    #expect(try computer.setPool(.oneGiB, 1) == 1)
    #expect(throws: Errno.einval) { try computer.setOvercommit(.oneGiB, 1) }
    let start = try computer.call(.mmap, [0, page, 3, 0x21 | Flag.huge | Flag.huge1G, .max, 0])
    #expect(start % gib == 0)
    #expect(try computer.pool(.oneGiB) == HugePageCounters(total: 1, free: 1, reserved: 1))
    #expect(computer.pool == [2, 2, 0, 0])
    #expect(computer.store(start + gib - 1, 3) == .byte(3))
    #expect(computer.load(start + gib / 2) == .byte(0))
    #expect(try computer.pool(.oneGiB) == HugePageCounters(total: 1, free: 0))
    #expect(computer.refusal(.munmap, [start, huge]) == .einval)
    computer.expectSound()
    try computer.call(.munmap, [start, gib])
    #expect(try computer.call(.memfdCreate, [0, 4 | Flag.huge1G]) == 3)
    #expect(computer.refusal(.memfdCreate, [0, 4 | 24 << 26]) == .enodev)
    #expect(computer.refusal(.memfdCreate, [0, Flag.huge1G]) == .einval)
    computer.expectSound()
    computer.finish()
  }
}

// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Calls on mappings of pooled huge pages that exist.
struct HugeTLBCallTests {
  @Test(arguments: PoolDriver.allCases) func remapMovesAndShrinksAndNeverGrows(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let start = try computer.mapHuge(3, at: hugeBase)
    #expect(computer.store(1, page: 0, of: start) == .byte(1))
    #expect(computer.refusal(.mremap, [start, 3 * huge, 4 * huge, 1]) == .einval)
    #expect(computer.refusal(.mremap, [start, huge, 3 * huge, 0]) == .einval)
    #expect(computer.refusal(.mremap, [start + page, huge, huge, 1]) == .einval)
    #expect(computer.refusal(.mremap, [start, huge, huge, 3, start + 64 * huge + page]) == .einval)
    #expect(computer.refusal(.mremap, [start, 3 * huge, 3 * huge, 5]) == .einval)
    let target = start + 64 * huge
    #expect(try computer.call(.mremap, [start, 3 * huge, 3 * huge, 3, target]) == target)
    #expect(computer.pool == [8, 7, 2, 0], "promises move along")
    #expect(computer.load(page: 0, of: target) == .byte(1))
    #expect(computer.load(page: 0, of: start) == .refused(.notMapped))
    #expect(computer.store(2, page: 2, of: target) == .byte(2))
    #expect(computer.pool == [8, 6, 1, 0])
    #expect(try computer.call(.mremap, [target, 3 * huge, huge + 1, 0]) == target, "lengths are rounded up")
    #expect(computer.pool == [8, 7, 1, 0])
    #expect(try computer.call(.mremap, [target, 2 * huge, huge, 0]) == target)
    #expect(computer.pool == [8, 7, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func neighboursOfOtherKindsMoveToo(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    _ = try computer.mapHuge(1, at: hugeBase)
    try computer.map(4, at: hugeBase - 4 * page)
    #expect(computer.store(hugeBase - 1, 3) == .byte(3))
    #expect(computer.store(hugeBase, 4) == .byte(4))
    // Next to huge pages there is no room to grow.
    #expect(computer.refusal(.mremap, [hugeBase - 4 * page, 4 * page, 8 * page, 0]) == .enomem)
    #expect(computer.load(hugeBase - 1) == .byte(3))
    // A huge mapping moves below a normal one, and a normal one above huge pages.
    try computer.map(4, at: hugeBase + 9 * huge)
    #expect(computer.store(hugeBase + 9 * huge, 5) == .byte(5))
    let below = hugeBase + 8 * huge
    #expect(try computer.call(.mremap, [hugeBase, huge, huge, 3, below]) == below)
    #expect(computer.load(below) == .byte(4))
    #expect(computer.load(hugeBase + 9 * huge) == .byte(5))
    #expect(computer.refusal(.mremap, [hugeBase + 9 * huge, 4 * page, 4 * page, 3, below + page]) == .einval)
    #expect(computer.load(below) == .byte(4))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func rightsChangeByWholePages(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let start = try computer.mapHuge(3, at: hugeBase)
    for page in 0..<UInt64(3) { #expect(computer.store(1, page: page, of: start) == .byte(1)) }
    try computer.call(.mprotect, [start + huge, huge, 1])
    #expect(computer.store(2, page: 1, of: start) == .refused(.notAllowed))
    #expect(computer.load(page: 1, of: start) == .byte(1))
    try computer.call(.mprotect, [start, 3 * huge, 0])
    #expect(computer.load(page: 1, of: start) == .refused(.notAllowed))
    try computer.call(.mprotect, [start, 3 * huge, 3])
    #expect(computer.areaCount(pid: 1) == 1)
    for page in 0..<UInt64(3) {
      #expect(computer.load(page: page, of: start) == .byte(1))
      #expect(computer.store(7, page: page, of: start) == .byte(7))
    }
    #expect(computer.pool == [8, 5, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func adviceIsTakenOrRefused(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let before = computer.pool
    let start = try computer.mapHuge(2, at: hugeBase)
    for advice in [UInt64(3), 12, 13, 0, 1, 2, 16, 17] {
      try computer.call(.madvise, [start, huge, advice])
      #expect(computer.pool == [8, 8, 2, 0])
    }
    for advice in [UInt64(8), 18, 20, 21, 25, 102, 103] {
      #expect(computer.refusal(.madvise, [start, huge, advice]) == .einval, "advice \(advice)")
    }
    #expect(computer.refusal(.madvise, [start, page, 10]) == .einval, "half a page cannot differ")
    #expect(computer.refusal(.madvise, [start, huge, 9]) == .eacces)
    try computer.call(.madvise, [start, 2 * huge, 23])
    #expect(computer.pool == [8, 6, 0, 0])
    try computer.call(.madvise, [start, huge, 10])
    try computer.fork(2, of: 1)
    #expect(computer.load(page: 0, of: start, pid: 2) == .refused(.notMapped))
    #expect(computer.load(page: 1, of: start, pid: 2) == .byte(0))
    computer.exit(2)
    try computer.call(.munmap, [start, 2 * huge])
    #expect(computer.pool == before)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func locksSyncsAndQueries(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let start = try computer.mapHuge(3, at: hugeBase)
    #expect(computer.residentPages(start, 3 * huge, pid: 1) == 0)
    try computer.call(.mlock, [start + page, huge])
    #expect(computer.pool == [8, 6, 1, 0], "locking brings pages in")
    #expect(computer.areaCount(pid: 1) == 1)
    #expect(computer.residentPages(start, 3 * huge, pid: 1) == 1024)
    #expect(computer.residentPages(start + page, huge, pid: 1) == 512)
    try computer.call(.madvise, [start, huge, 4])
    #expect(computer.pool == [8, 7, 2, 0], "locks are not noted")
    try computer.call(.munlock, [start + page, huge])
    try computer.call(.msync, [start, 3 * huge, 4])
    try computer.call(.mlockall, [3])
    #expect(computer.pool == [8, 5, 0, 0])
    let more = try computer.mapHuge(2, flags: Flag.shared)
    #expect(computer.pool == [8, 3, 0, 0])
    try computer.call(.munlockall, [])
    try computer.call(.munmap, [more, 2 * huge])
    try computer.copyUser(start + huge - 10, 20, .store, pid: 1)
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func populatingTakesPagesAtOnce(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let start = try computer.mapHuge(3, flags: Flag.private | Flag.populate)
    #expect(computer.pool == [8, 5, 0, 0])
    #expect(computer.faults(pid: 1) == FaultCounts())
    #expect(computer.store(1, page: 2, of: start) == .byte(1))
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func viewsShowPagesApart(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    let shared = try computer.mapFile(file, pages: 2)
    let own = try computer.mapHuge(2)
    #expect(computer.store(1, page: 0, of: shared) == .byte(1))
    #expect(computer.store(2, page: 1, of: own) == .byte(2))
    try computer.fork(2, of: 1)
    #expect(computer.load(page: 0, of: shared, pid: 2) == .byte(1))
    var use = computer.use(pid: 1)
    #expect(use.resident == 0 && use.hugePages == 0 && use.size == 4 * huge)
    #expect(use.sharedHugeTLB == 2 * huge && use.privateHugeTLB == 0)
    #expect(computer.store(3, page: 1, of: own, pid: 2) == .byte(3))
    use = computer.use(pid: 1)
    #expect(use.sharedHugeTLB == huge && use.privateHugeTLB == huge)
    let entry = computer.pageMap(shared + 5 * page, pid: 1)
    #expect(entry.isPresent && entry.isFilePage && !entry.isExclusive)
    #expect(entry.frame == computer.pageMap(shared, pid: 2).frame + 5)
    let mine = computer.pageMap(own + huge, pid: 1)
    #expect(mine.isPresent && !mine.isFilePage && mine.isExclusive)
    #expect(!computer.pageMap(own, pid: 1).isPresent)
    computer.finish()
  }
}

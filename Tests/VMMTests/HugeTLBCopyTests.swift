// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Copy-on-write of pooled huge pages, and who gets a page when there are too few.
struct HugeTLBCopyTests {
  @Test(arguments: PoolDriver.allCases) func everyProcessReadsItsOwn(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 12)
    let start = try computer.mapHuge(2)
    for page in 0..<UInt64(2) { #expect(computer.store(1, page: page, of: start) == .byte(1)) }
    for child in 2...UInt32(6) {
      try computer.fork(child, of: 1)
      #expect(computer.load(page: 1, of: start, pid: child) == .byte(1))
      #expect(computer.store(UInt8(child), page: 1, of: start, pid: child) == .byte(UInt8(child)))
      #expect(computer.load(start + huge, pid: child) == .byte(0), "the rest of the page is copied along")
    }
    #expect(computer.pool == [12, 5, 0, 0])
    #expect(computer.store(77, page: 1, of: start) == .byte(77))
    #expect(computer.pool == [12, 5, 0, 0], "the last owner writes where the page is")
    for child in 2...UInt32(6) {
      #expect(computer.load(page: 1, of: start, pid: child) == .byte(UInt8(child)))
      #expect(computer.load(page: 0, of: start, pid: child) == .byte(1))
      computer.expectSound()
      computer.exit(child)
    }
    #expect(computer.pool == [12, 10, 0, 0])
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func promisesStayWithTheParent(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 3)
    let start = try computer.mapHuge(2)
    #expect(computer.store(1, page: 0, of: start) == .byte(1))
    try computer.fork(2, of: 1)
    #expect(computer.pool == [3, 2, 1, 0])
    #expect(computer.store(2, page: 0, of: start, pid: 2) == .byte(2), "a free page that nobody was promised")
    #expect(computer.load(page: 1, of: start, pid: 2) == .refused(.noHugePage))
    #expect(computer.store(3, page: 1, of: start) == .byte(3))
    #expect(computer.load(page: 1, of: start, pid: 2) == .refused(.noHugePage))
    #expect(computer.pool == [3, 0, 0, 0])
    computer.exit(2)
    #expect(computer.pool == [3, 1, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func theParentWinsOverTheChild(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 2)
    let start = try computer.mapHuge(2)
    for page in 0..<UInt64(2) { #expect(computer.store(1, page: page, of: start) == .byte(1)) }
    try computer.fork(2, of: 1)
    #expect(computer.store(2, page: 0, of: start, pid: 2) == .refused(.noHugePage), "the child gets none")
    #expect(computer.load(page: 0, of: start, pid: 2) == .byte(1))
    #expect(computer.store(3, page: 0, of: start) == .byte(3), "the parent takes the page back")
    #expect(computer.load(page: 0, of: start, pid: 2) == .refused(.noHugePage))
    #expect(computer.load(page: 1, of: start, pid: 2) == .byte(1), "what the child still has it may read")
    #expect(computer.load(page: 0, of: start + 8) == .byte(0))
    #expect(computer.pool == [2, 0, 0, 0])
    computer.expectSound()
    computer.exit(2)
    #expect(computer.store(4, page: 1, of: start) == .byte(4))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func privateStoresNeverReachTheFile(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    let shared = try computer.mapFile(file, pages: 1)
    #expect(computer.store(5, page: 0, of: shared) == .byte(5))
    try computer.call(.munmap, [shared, huge])
    // Only the file and one private mapping have the page now.
    let copy = try computer.mapFile(file, pages: 1, flags: Flag.private)
    #expect(computer.load(page: 0, of: copy) == .byte(5))
    #expect(computer.pool == [8, 7, 1, 0])
    #expect(computer.store(6, page: 0, of: copy) == .byte(6))
    #expect(computer.pool == [8, 6, 0, 0])
    let again = try computer.mapFile(file, pages: 1)
    #expect(computer.load(page: 0, of: again) == .byte(5))
    #expect(computer.store(7, page: 0, of: again) == .byte(7))
    #expect(computer.load(page: 0, of: copy) == .byte(6))
    computer.expectSound()
    try computer.call(.munmap, [copy, huge])
    #expect(computer.pool == [8, 7, 0, 0])
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func sharedPagesStaySharedOverFork(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let start = try computer.mapHuge(2, flags: Flag.shared)
    try computer.fork(2, of: 1)
    try computer.fork(3, of: 2)
    #expect(computer.store(9, page: 1, of: start, pid: 3) == .byte(9))
    #expect(computer.load(page: 1, of: start) == .byte(9))
    #expect(computer.load(page: 1, of: start, pid: 2) == .byte(9))
    #expect(computer.pool == [8, 7, 1, 0])
    computer.exit(1)
    computer.exit(2)
    #expect(computer.load(page: 1, of: start, pid: 3) == .byte(9))
    computer.exit(3)
    #expect(computer.pool == [8, 8, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func droppedPagesCanBeHadAgain(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 4)
    let start = try computer.mapHuge(4)
    for page in 0..<UInt64(4) { #expect(computer.store(1, page: page, of: start) == .byte(1)) }
    try computer.call(.madvise, [start + huge, 2 * huge + page, 4])
    #expect(computer.pool == [4, 2, 2, 0], "what is cut at the end stays; promises are renewed")
    #expect(computer.load(page: 1, of: start) == .byte(0))
    #expect(computer.load(page: 3, of: start) == .byte(1))
    #expect(computer.refusal(.madvise, [start + page, huge, 4]) == .einval)
    try computer.setPool(0)
    #expect(computer.pool == [4, 1, 1, 4])
    try computer.call(.madvise, [start, 2 * huge, 4])
    #expect(computer.pool == [2, 1, 1, 2], "surplus pages go, and no promise comes back")
    #expect(computer.load(page: 0, of: start) == .refused(.noHugePage))
    #expect(computer.load(page: 2, of: start) == .byte(0))
    computer.expectSound()
    computer.finish()
  }
}

// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Sizes, holes and seals of files of pooled huge pages.
struct HugeTLBFileTests {
  @Test(arguments: PoolDriver.allCases) func truncationTakesPagesAndPromises(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    let start = try computer.mapFile(file, pages: 4)
    for page in 0..<UInt64(3) {
      #expect(computer.store(UInt8(page + 1), page: page, of: start) == .byte(UInt8(page + 1)))
    }
    #expect(computer.pool == [8, 5, 1, 0])
    #expect(computer.refusal(.ftruncate, [file, huge + page]) == .einval)
    try computer.call(.ftruncate, [file, huge])
    #expect(computer.pool == [8, 7, 0, 0])
    #expect(computer.load(page: 0, of: start) == .byte(1), "the first page is as it was")
    #expect(computer.load(page: 1, of: start) == .refused(.beyondEndOfFile))
    #expect(computer.store(1, page: 3, of: start) == .refused(.beyondEndOfFile))
    #expect(computer.pool == [8, 7, 0, 0])
    try computer.call(.ftruncate, [file, 4 * huge])
    #expect(computer.load(page: 1, of: start) == .byte(0), "new pages are zero")
    #expect(computer.pool == [8, 6, 0, 0])
    try computer.call(.munmap, [start, 4 * huge])
    try computer.call(.ftruncate, [file, 0])
    #expect(computer.pool == [8, 8, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func truncationFarOutLeavesTheBeginning(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    let first = try computer.mapFile(file, pages: 1)
    let far: UInt64 = 4 << 30
    let second = try computer.call(.mmap, [0, huge, 3, 1, file, far])
    #expect(computer.store(1, page: 0, of: first) == .byte(1))
    #expect(computer.store(2, page: 0, of: second) == .byte(2))
    let copy = try computer.call(.mmap, [0, huge, 3, 2, file, far])
    #expect(computer.store(3, page: 0, of: copy) == .byte(3))
    try computer.call(.ftruncate, [file, far])
    #expect(computer.load(page: 0, of: first) == .byte(1))
    #expect(computer.load(page: 0, of: second) == .refused(.beyondEndOfFile))
    #expect(computer.load(page: 0, of: copy) == .refused(.beyondEndOfFile), "copies go with a truncation")
    #expect(computer.pool == [8, 7, 1, 0], "the private mapping can have its page again")
    try computer.call(.munmap, [copy, huge])
    #expect(computer.pool == [8, 7, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func allocationRoundsOutAndHolesRoundIn(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    try computer.call(.fallocate, [file, 0, huge / 2, 2 * huge])
    #expect(computer.pool == [8, 5, 0, 0])
    let start = try computer.mapFile(file, pages: 2)
    #expect(computer.pool == [8, 5, 0, 0], "pages that exist need no promise")
    for page in 0..<UInt64(2) {
      #expect(computer.store(start + page * huge, 1) == .byte(1))
      #expect(computer.store(start + page * huge + huge - 1, 2) == .byte(2))
    }
    try computer.call(.fallocate, [file, 3, 1, huge + huge / 2])
    #expect(computer.pool == [8, 5, 0, 0], "no whole page lies in the hole")
    #expect(computer.load(start) == .byte(1))
    #expect(computer.load(start + huge - 1) == .byte(0))
    #expect(computer.load(start + huge) == .byte(0))
    #expect(computer.load(start + 2 * huge - 1) == .byte(2))
    try computer.call(.fallocate, [file, 3, huge - 1, huge + 1])
    #expect(computer.pool == [8, 6, 0, 0])
    #expect(computer.load(start + 2 * huge - 1) == .byte(0))
    #expect(computer.pool == [8, 5, 0, 0])
    #expect(computer.refusal(.fallocate, [file, 16, 0, huge]) == .eopnotsupp)
    #expect(computer.refusal(.fallocate, [file, 0, 0, 20 * huge]) == .enospc)
    computer.expectSound()
    try computer.call(.fallocate, [file, 3, 0, 20 * huge])
    #expect(computer.pool == [8, 8, 0, 0])
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func holesOfMappedFilesGiveNoPromiseBack(_ driver: PoolDriver) throws
  {
    let computer = try driver.computer(pages: 2)
    let file = try computer.hugeFile()
    let start = try computer.mapFile(file, pages: 2)
    #expect(computer.store(1, page: 0, of: start) == .byte(1))
    #expect(computer.pool == [2, 1, 1, 0])
    try computer.call(.madvise, [start, 2 * huge, 9])
    #expect(computer.pool == [2, 2, 1, 0], "what was promised and not used stays promised")
    let other = try computer.mapHuge(1)
    #expect(computer.load(page: 0, of: start) == .refused(.noHugePage))
    #expect(computer.load(page: 1, of: start) == .byte(0))
    #expect(computer.load(page: 0, of: other) == .byte(0))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func allocationUsesPromises(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 3)
    let file = try computer.hugeFile()
    let start = try computer.mapFile(file, pages: 2)
    try computer.call(.fallocate, [file, 0, 0, huge])
    #expect(computer.pool == [3, 2, 1, 0])
    try computer.call(.munmap, [start, 2 * huge])
    _ = try computer.mapHuge(1)
    #expect(computer.pool == [3, 2, 2, 0])
    #expect(computer.refusal(.fallocate, [file, 1, 2 * huge, huge]) == .enospc)
    try computer.call(.fallocate, [file, 1, huge, huge])
    #expect(computer.pool == [3, 1, 1, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func adviceOnFilesLeavesPromisesAlone(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile()
    try computer.call(.ftruncate, [file, 2 * huge])
    for number in [SystemCallNumber.fadvise, .readahead] {
      let start = try computer.mapFile(file, pages: 2)
      #expect(try computer.call(number, [file, 0, 2 * huge, 3]) == 0)
      #expect(computer.pool == [8, 8, 2, 0])
      try computer.call(.munmap, [start, 2 * huge])
    }
    try computer.call(.ftruncate, [file, 0])
    #expect(computer.pool == [8, 8, 0, 0])
    #expect(computer.refusal(.fadvise, [file, 0, 0, 6]) == .einval)
    #expect(computer.refusal(.readahead, [99, 0, 0]) == .ebadf)
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func sealsHold(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let file = try computer.hugeFile(4 | 2)
    try computer.call(.ftruncate, [file, 2 * huge])
    try computer.call(.fcntl, [file, 1033, 2 | 4])
    #expect(computer.refusal(.ftruncate, [file, huge]) == .eperm)
    #expect(computer.refusal(.ftruncate, [file, 3 * huge]) == .eperm)
    #expect(computer.refusal(.fallocate, [file, 0, huge, 2 * huge]) == .eperm)
    try computer.call(.fcntl, [file, 1033, 8])
    #expect(computer.refusal(.mmap, [0, huge, 3, 1, file, 0]) == .eperm)
    #expect(computer.refusal(.fallocate, [file, 3, 0, huge]) == .eperm)
    let start = try computer.mapFile(file, pages: 1, rights: 1)
    #expect(computer.load(page: 0, of: start) == .byte(0))
    #expect(computer.store(1, page: 0, of: start) == .refused(.notAllowed))
    computer.expectSound()
    computer.finish()
  }
}

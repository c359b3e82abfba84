// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// The counters of a pool: total, free, reserved, surplus.
struct HugeTLBPoolTests {
  @Test(arguments: PoolDriver.allCases) func poolsGrowAndShrink(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 0)
    let free = computer.frames.freeFrames
    #expect(computer.pool == [0, 0, 0, 0])
    #expect(try computer.setPool(4) == 4)
    #expect(computer.pool == [4, 4, 0, 0])
    #expect(computer.frames.freeFrames == free - 4 * 512)
    let start = try computer.mapHuge(3)
    #expect(computer.store(1, page: 0, of: start) == .byte(1))
    #expect(computer.pool == [4, 3, 2, 0])
    #expect(try computer.setPool(0) == 0)
    #expect(computer.pool == [3, 2, 2, 3], "what is used or promised stays, as surplus")
    #expect(computer.store(2, page: 1, of: start) == .byte(2))
    #expect(computer.pool == [3, 1, 1, 3])
    #expect(try computer.setPool(1) == 1)
    #expect(computer.pool == [3, 1, 1, 2], "surplus pages become the pool's own")
    try computer.call(.munmap, [start, 3 * huge])
    #expect(computer.pool == [1, 1, 0, 0])
    let before = computer.frames.freeFrames
    #expect(try computer.setPool(0) == 0)
    #expect(computer.frames.freeFrames == before + 512)
    #expect(try computer.setPool(1000) < 32, "as far as memory goes")
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func surplusPagesComeAndGo(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 2)
    try computer.setOvercommit(3)
    #expect(throws: Errno.enomem) { _ = try computer.mapHuge(6) }
    #expect(computer.pool == [2, 2, 0, 0])
    let start = try computer.mapHuge(5)
    #expect(computer.pool == [5, 5, 5, 3], "surplus pages come when they are promised")
    #expect(throws: Errno.enomem) { _ = try computer.mapHuge(1) }
    for page in 0..<UInt64(5) { #expect(computer.store(1, page: page, of: start) == .byte(1)) }
    #expect(computer.pool == [5, 0, 0, 3])
    try computer.call(.munmap, [start, 4 * huge])
    #expect(computer.pool == [2, 1, 0, 0])
    try computer.call(.munmap, [start + 4 * huge, huge])
    #expect(computer.pool == [2, 2, 0, 0])
    let loose = try computer.mapHuge(5, flags: Flag.private | Flag.noReserve)
    #expect(computer.pool == [2, 2, 0, 0])
    for page in 0..<UInt64(5) { #expect(computer.store(1, page: page, of: loose) == .byte(1)) }
    #expect(computer.pool == [5, 0, 0, 3], "or when they are touched")
    computer.exit(1)
    #expect(computer.pool == [2, 2, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func promisesAreKept(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 4)
    let start = try computer.mapHuge(3, flags: Flag.shared)
    #expect(throws: Errno.enomem) { _ = try computer.mapHuge(2) }
    let loose = try computer.mapHuge(2, flags: Flag.private | Flag.noReserve)
    #expect(computer.store(1, page: 0, of: loose) == .byte(1))
    #expect(computer.store(1, page: 1, of: loose) == .refused(.noHugePage))
    #expect(computer.load(page: 1, of: loose) == .refused(.noHugePage))
    for page in 0..<UInt64(3) { #expect(computer.store(2, page: page, of: start) == .byte(2)) }
    #expect(computer.pool == [4, 0, 0, 0])
    try computer.call(.munmap, [start, 3 * huge])
    #expect(computer.pool == [4, 3, 0, 0])
    #expect(computer.load(page: 1, of: loose) == .byte(0))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func fixedMappingsPassPromisesOn(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 4)
    let start = try computer.mapHuge(3, at: hugeBase)
    #expect(computer.store(1, page: 0, of: start) == .byte(1))
    _ = try computer.mapHuge(4, at: hugeBase)
    #expect(computer.pool == [4, 4, 4, 0])
    #expect(computer.load(page: 0, of: start) == .byte(0))
    try computer.map(512, at: hugeBase + huge)
    #expect(computer.pool == [4, 3, 2, 0])
    #expect(computer.store(hugeBase + huge, 1) == .byte(1))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func reclaimLeavesPoolsAlone(_ driver: PoolDriver) throws {
    let computer = try driver.computer(pages: 6)
    let start = try computer.mapHuge(2)
    #expect(computer.store(5, page: 1, of: start) == .byte(5))
    computer.reclaimEverything()
    #expect(computer.pool == [6, 5, 1, 0])
    #expect(computer.isHuge(start + huge))
    #expect(computer.load(page: 1, of: start) == .byte(5))
    computer.finish()
  }

  @Test func poolsThatFollowDemandGrow() throws {
    let computer = try PoolDriver.radix.computer(pages: 0)
    computer.followDemand()
    let start = try computer.mapHuge(2)
    #expect(computer.pool == [2, 2, 2, 0])
    let loose = try computer.mapHuge(20, flags: Flag.private | Flag.noReserve)
    #expect(computer.store(1, page: 19, of: loose) == .byte(1))
    #expect(computer.pool == [3, 2, 2, 0])
    #expect(throws: Errno.enomem) { _ = try computer.mapHuge(40) }
    try computer.call(.munmap, [start, 2 * huge])
    #expect(computer.pool == [3, 2, 0, 0])
    computer.expectSound()
    computer.finish()
  }
}

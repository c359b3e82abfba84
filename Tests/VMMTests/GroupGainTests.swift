// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Areas without private pages join areas that have some: pages in other areas of the group must still be found.
struct GroupGainTests {
  @Test(arguments: TestDriver.allCases)
  func movedPartOfAHugePageIsFoundAfterItsSourceIsReplaced(_ driver: TestDriver) throws {
    let computer = try driver.computer()
    try computer.map(1024, at: 0x20_0146_8000)
    computer.store(0x20_017B_264D, 1)
    #expect(computer.isHuge(0x20_017B_264D))
    // MREMAP_MAYMOVE, MREMAP_FIXED and MREMAP_DONTUNMAP.
    try computer.call(.mremap, [0x20_0160_B000, 0x2F_F000, 0x2F_F000, 7, 0x20_01C0_B000])
    // MAP_POPULATE: the new area continues what is left of the old one.
    try computer.map(1024, at: 0x20_0140_0000, flags: 0x8000)
    computer.expectReverseMap()
    #expect(computer.load(0x20_01DB_264D) == .byte(1))
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: TestDriver.allCases)
  func movedBasePageIsFoundAfterItsSourceIsReplaced(_ driver: TestDriver) throws {
    let computer = try driver.computer(HugePageSettings(policy: .never))
    try computer.map(8, at: hugeBase)
    computer.store(hugeBase + 4 * page, 1)
    let target = hugeBase + 64 * page
    try computer.call(.mremap, [hugeBase + 4 * page, page, page, 7, target])
    // A larger area joins the old one, which is the one that the kernel has seen last.
    try computer.map(7, at: hugeBase)
    computer.expectReverseMap()
    #expect(computer.load(target) == .byte(1))
    try computer.fork(2, of: 1)
    computer.expectReverseMap()
    computer.exit(2)
    try computer.call(.munmap, [hugeBase, 128 * page])
    computer.finish()
  }
}

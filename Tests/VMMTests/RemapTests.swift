// SPDX-License-Identifier: MIT
import Testing
import VMM

/// mremap in all its forms.
struct RemapTests {
  @Test func refusals() throws {
    let computer = try RadixComputer()
    let base = try computer.map(8)
    let cases: [([UInt64], Errno?)] = [
      ([base + 1, page, page, 0], .einval), ([base, page, 0, 1], .einval), ([base, page, page, 8], .einval),
      ([base, page, page, 2, base + 32 * page], .einval), ([base, page, 2 * page, 5], .einval),
      ([base, page, .max, 1], .einval), ([base, .max, page, 1], .einval), ([0x4000, page, page, 1], .efault),
      ([base, page, page, 3, base], .einval), ([base, 2 * page, page, 3, base + page], .einval),
      ([base, page, page, 3, base + 32 * page + 1], .einval), ([base, 0, page, 1], .einval),
      ([base, page, 2 * page, 0], .enomem), ([base, 9 * page, 10 * page, 1], .efault),
    ]
    for (arguments, errno) in cases { #expect(computer.refusal(.mremap, arguments) == errno, "\(arguments)") }
    computer.finish()
  }

  @Test func contentsMoveAlong() throws {
    let computer = try RadixComputer()
    let base = try computer.map(4)
    for number in 0..<UInt64(4) { computer.store(base + number * page, UInt8(number + 1)) }
    _ = try computer.map(1, at: base + 4 * page, flags: 0x32)
    let moved = try computer.call(.mremap, [base, 4 * page, 8 * page, 1])
    #expect(moved != base)
    #expect(computer.load(moved + 3 * page) == .byte(4))
    #expect(computer.load(moved + 7 * page) == .byte(0))
    #expect(computer.load(base) == .refused(.notMapped))
    #expect(try computer.call(.mremap, [moved, 8 * page, 2 * page, 0]) == moved)
    #expect(computer.load(moved + 2 * page) == .refused(.notMapped))
    computer.finish()
  }

  @Test func dontUnmapLeavesTheAreaEmpty() throws {
    let computer = try RadixComputer()
    let base = try computer.map(2)
    computer.store(base, 5)
    let moved = try computer.call(.mremap, [base, 2 * page, 2 * page, 5])
    #expect(computer.load(moved) == .byte(5))
    #expect(computer.load(base) == .byte(0))
    computer.finish()
  }

  /// A new mapping merges with what is left of the old one; the moved page must still be found from its frame.
  @Test func movedPagesAreFoundAfterTheirOldPlaceMerged() throws {
    let computer = try RadixComputer()
    let base: UInt64 = 0x20_0140_0000
    let far: UInt64 = 0x20_01C0_0000
    _ = try computer.map(8, at: base, flags: 0x32)
    computer.store(base + 5 * page, 7)
    #expect(try computer.call(.mremap, [base + 4 * page, 4 * page, 4 * page, 7, far]) == far)
    _ = try computer.map(6, at: base, flags: 0x32)
    #expect(computer.kernel.reverseMapFault() == nil)
    #expect(computer.load(far + page) == .byte(7))
    computer.finish()
  }

  @Test func oldLengthZeroDuplicatesSharedMemory() throws {
    let computer = try RadixComputer()
    let base = try computer.map(2, flags: 0x21)
    computer.store(base, 5)
    let twin = try computer.call(.mremap, [base, 0, 2 * page, 1])
    computer.store(twin, 6)
    #expect(computer.load(base) == .byte(6))
    computer.finish()
  }

  @Test func severalMappingsMoveTogether() throws {
    let computer = try RadixComputer()
    let base = try computer.map(6)
    for number in 0..<UInt64(6) { computer.store(base + number * page, UInt8(number + 1)) }
    try computer.call(.mprotect, [base + page, page, 1])
    try computer.call(.munmap, [base + 3 * page, page])
    let target = base + 100 * page
    #expect(try computer.call(.mremap, [base, 6 * page, 6 * page, 3, target]) == target)
    #expect(computer.load(target + 5 * page) == .byte(6))
    #expect(computer.store(target + page, 1) == .refused(.notAllowed))
    #expect(computer.load(target + 3 * page) == .refused(.notMapped))
    #expect(computer.load(base) == .refused(.notMapped))
    computer.finish()
  }
}

// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// mmap, munmap, mprotect and brk: successes and every misuse.
struct MappingTests {
  let top: UInt64 = 0x7FFF_FFFF_F000

  @Test func mmapRefusals() throws {
    let computer = try RadixComputer()
    let base = try computer.map(4)
    let cases: [([UInt64], Errno?)] = [
      ([0, 0, 3, 0x22, .max, 0], .einval), ([0, page, 3, 0x20, .max, 0], .einval),
      ([0, page, 3, 0x24, .max, 0], .einval), ([0, page, 3, 0x02, 99, 0], .ebadf),
      ([0, page, 3, 0x22, .max, 1], .einval), ([0, .max, 3, 0x22, .max, 0], .enomem),
      ([0, 1 << 47, 3, 0x22, .max, 0], .enomem), ([top, page, 3, 0x32, .max, 0], .enomem),
      ([1, page, 3, 0x32, .max, 0], .einval), ([base, page, 3, 0x100022, .max, 0], .eexist),
      ([0, page, 3, 0x121, .max, 0], .einval), ([0, page, 3, 0x28, .max, 0], nil),
      ([0, page, 3, 0x2028, .max, 0], .einval), ([0, page, 3, 0x22, .max, 0 &- page], nil),
    ]
    for (arguments, errno) in cases { #expect(computer.refusal(.mmap, arguments) == errno, "\(arguments)") }
    computer.finish()
  }

  @Test func unmapAndProtectRefusals() throws {
    let computer = try RadixComputer()
    let base = try computer.map(8)
    #expect(computer.refusal(.munmap, [base + 1, page]) == .einval)
    #expect(computer.refusal(.munmap, [base, 0]) == .einval)
    #expect(computer.refusal(.munmap, [top, page]) == .einval)
    #expect(computer.refusal(.munmap, [0x10000, page]) == nil)
    #expect(computer.refusal(.mprotect, [base + 1, page, 3]) == .einval)
    #expect(computer.refusal(.mprotect, [base, 0, 0]) == nil)
    #expect(computer.refusal(.mprotect, [base, page, 0x300_0001]) == .einval)
    #expect(computer.refusal(.mprotect, [base, page, 16]) == .einval)
    #expect(computer.refusal(.mprotect, [base, page, 0x100_0003]) == .einval)
    #expect(computer.refusal(.mprotect, [base, .max, 1]) == .enomem)
    try computer.call(.munmap, [base + 4 * page, page])
    #expect(computer.refusal(.mprotect, [base, 8 * page, 1]) == .enomem)
    #expect(computer.store(base, 1) == .refused(.notAllowed), "areas before the hole are changed")
    #expect(computer.store(base + 5 * page, 1) == .byte(1), "areas behind it are not")
    #expect(computer.load(base + 4 * page) == .refused(.notMapped))
    #expect(computer.load(1 << 63) == .refused(.notCanonical))
    #expect(FaultRefusal.notCanonical.code == 128)
    computer.finish()
  }

  @Test func fixedReplacesAndContentsGo() throws {
    let computer = try RadixComputer()
    let base = try computer.map(3)
    for number in 0..<3 { computer.store(base + UInt64(number) * page, 7) }
    #expect(try computer.map(1, at: base + page, flags: 0x32) == base + page)
    #expect(computer.load(base) == .byte(7))
    #expect(computer.load(base + page) == .byte(0))
    #expect(computer.load(base + 2 * page) == .byte(7))
    computer.finish()
  }

  @Test func theBreakMovesAndForgets() throws {
    let computer = try RadixComputer()
    let start = try computer.call(.brk, [0])
    #expect(try computer.call(.brk, [start + 3 * page]) == start + 3 * page)
    computer.store(start + 2 * page, 9)
    #expect(try computer.call(.brk, [start + page]) == start + page)
    #expect(computer.load(start + 2 * page) == .refused(.notMapped))
    #expect(try computer.call(.brk, [start + 3 * page]) == start + 3 * page)
    #expect(computer.load(start + 2 * page) == .byte(0))
    #expect(try computer.call(.brk, [start - page]) == start + 3 * page, "below its start it stays")
    _ = try computer.map(1, at: start + 5 * page, flags: 0x32)
    #expect(try computer.call(.brk, [start + 8 * page]) == start + 3 * page, "it does not run over mappings")
    computer.finish()
  }

  @Test func stacksGrowUpToTheGap() throws {
    let computer = try RadixComputer()
    let floor: UInt64 = 0x5000_0000
    _ = try computer.map(1, at: floor, flags: 0x32)
    let stack = try computer.map(2, at: floor + 1000 * page, flags: 0x132)
    #expect(computer.store(stack - 100 * page, 1) == .byte(1))
    #expect(computer.store(floor + 257 * page, 1) == .byte(1))
    #expect(computer.store(floor + 256 * page, 1) == .refused(.notMapped))
    #expect(computer.refusal(.mprotect, [stack, page, 0x100_0001]) == nil)
    #expect(computer.store(floor + 300 * page, 1) == .refused(.notAllowed), "PROT_GROWSDOWN reaches down")
    computer.finish()
  }
}

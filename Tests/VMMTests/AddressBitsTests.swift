// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Addresses above 2^47, which only some hardware translates.
@Suite("Address bits") struct AddressBitsTests {
  private let border: UInt64 = 1 << 47
  private let high: UInt64 = 1 << 50

  @Test func highAddressesAreForThoseWhoAskForThem() throws {
    let computer = try Computer<Radix5Service>()
    #expect(computer.kernel.userEnd == VirtualAddress(1 << 56 - 4096))
    // Without a hint, and with one below the border: below it.
    #expect(try computer.map(16) < border)
    #expect(try computer.map(16, at: border / 2) == border / 2)
    // With a hint above it: there, and, where that is taken, as high as possible.
    #expect(try computer.map(16, at: high) == high)
    let second = try computer.map(16, at: high)
    #expect(second != high && second > border)
    // A hint whose mapping would reach over the border is none, but says that high addresses are welcome or not.
    #expect(try computer.map(4, at: border - 2 * 4096) < border - 2 * 4096)
    // MAP_FIXED goes where it says.
    #expect(try computer.map(1, at: high + high, flags: 0x32) == high + high)
    computer.finish()
  }

  @Test func highMemoryIsMemory() throws {
    let computer = try Computer<Radix5Service>()
    let start = try computer.map(4, at: high)
    #expect(computer.store(start + 5, 0x5A) == .byte(0x5A))
    #expect(computer.load(start + 5) == .byte(0x5A))
    // mremap keeps it up there when it is told where; unmapping and protecting work too.
    #expect(try computer.call(.mremap, [start, 4 * 4096, 4 * 4096, 3, high * 2]) == high * 2)
    #expect(computer.load(high * 2 + 5) == .byte(0x5A))
    #expect(computer.load(start + 5) == .refused(.notMapped))
    try computer.call(.mprotect, [high * 2, 4 * 4096, 1])
    #expect(computer.store(high * 2, 1) == .refused(.notAllowed))
    try computer.call(.munmap, [high * 2, 4 * 4096])
    #expect(computer.load(high * 2 + 5) == .refused(.notMapped))
    #expect(computer.refusal(.munmap, [1 << 56, 4096]) == .einval)
    #expect(computer.load(1 << 56) == .refused(.notCanonical))
    computer.finish()
  }

  @Test func fourLevelsEndAt47Bits() throws {
    let computer = try Computer<RadixService>()
    #expect(computer.kernel.userEnd == UserSpace.end)
    #expect(try computer.map(1, at: high) < border)
    #expect(computer.refusal(.mmap, [high, 4096, 3, 0x32, .max, 0]) == .enomem)
    #expect(computer.refusal(.munmap, [high, 4096]) == .einval)
    #expect(computer.load(high) == .refused(.notCanonical))
    computer.finish()
  }

  @Test func aKernelCanBeToldToKeepTo47Bits() throws {
    let computer = try Computer<Radix5Service>()
    computer.kernel.limitUserSpace(to: UserSpace.end)
    #expect(try computer.map(1, at: high) < border)
    #expect(computer.refusal(.mmap, [high, 4096, 3, 0x32, .max, 0]) == .enomem)
    #expect(computer.load(high) == .refused(.notCanonical))
    computer.finish()
  }
}

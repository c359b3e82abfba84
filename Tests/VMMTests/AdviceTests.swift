// SPDX-License-Identifier: MIT
import Testing
import VMM

/// madvise, mlock, msync, mincore and mseal.
struct AdviceTests {
  @Test func madviseRefusals() throws {
    let computer = try RadixComputer()
    let base = try computer.map(8)
    let shared = try computer.map(2, flags: 0x21)
    let cases: [([UInt64], Errno?)] = [
      ([base + 1, page, 0], .einval), ([base, page, 1212], .einval), ([base, .max, 0], .einval),
      ([base, 0, 4], nil), ([base, page, 9], .einval), ([shared, page, 8], .einval),
      ([shared, page, 18], .einval), ([base, page, 18], nil), ([base, page, 19], nil),
      ([shared, page, 9], nil), ([0x4000, page, 0], .enomem),
    ]
    for (arguments, errno) in cases {
      #expect(computer.refusal(.madvise, arguments) == errno, "\(arguments)")
    }
    try computer.call(.mlock, [base, page])
    #expect(computer.refusal(.madvise, [base, page, 4]) == .einval)
    #expect(computer.refusal(.msync, [base, page, 2]) == .ebusy)
    #expect(computer.refusal(.msync, [base, 0, 2]) == nil, "nothing is not locked")
    computer.finish()
  }

  @Test func dontNeedForgetsAndSkipsHoles() throws {
    let computer = try RadixComputer()
    let base = try computer.map(4)
    computer.store(base, 1)
    computer.store(base + 3 * page, 1)
    try computer.call(.munmap, [base + page, page])
    #expect(computer.refusal(.madvise, [base, 4 * page, 4]) == .enomem)
    #expect(computer.load(base) == .byte(0))
    #expect(computer.load(base + 3 * page) == .byte(0))
    computer.finish()
  }

  @Test func guardsRefuseAndDoNotPartAreas() throws {
    let computer = try RadixComputer()
    let base = try computer.map(8)
    computer.store(base + 2 * page, 1)
    try computer.call(.madvise, [base + 2 * page, 2 * page, 102])
    #expect(computer.load(base + 2 * page) == .refused(.notMapped))
    #expect(computer.refusal(.madvise, [base, 8 * page, 23]) == .efault)
    #expect(computer.process.space.layout.areas.areas.count == 1)
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(computer.load(base + 3 * page, in: child) == .refused(.notMapped))
    let moved = try computer.call(.mremap, [base + 3 * page, 2 * page, 2 * page, 3, base + 64 * page])
    #expect(computer.load(moved) == .refused(.notMapped))
    #expect(computer.load(moved + page) == .byte(0))
    try computer.call(.madvise, [base + 2 * page, page, 103])
    #expect(computer.load(base + 2 * page) == .byte(0))
    computer.finish()
  }

  @Test func locks() throws {
    let computer = try RadixComputer()
    let base = try computer.map(8)
    #expect(computer.refusal(.mlock, [base, .max]) == nil, "Linux lets the length wrap to zero")
    #expect(computer.refusal(.mlock, [base, 0 &- page]) == .einval)
    #expect(computer.refusal(.mlock2, [base, page, 2]) == .einval)
    try computer.call(.munmap, [base + 4 * page, page])
    #expect(computer.refusal(.mlock, [base, 8 * page]) == .enomem)
    #expect(computer.process.space.layout.lockedBytes == 4 * page, "what lies before the hole is locked")
    #expect(computer.refusal(.mlockall, [0]) == .einval)
    #expect(computer.refusal(.mlockall, [4]) == .einval)
    try computer.call(.mlockall, [2])
    let locked = try computer.map(2)
    #expect(computer.refusal(.madvise, [locked, page, 4]) == .einval)
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(child.space.layout.lockedBytes == 0)
    computer.process.space.layout.limits.lockedMemory = 0
    #expect(computer.refusal(.mmap, [0, page, 3, 0x22, .max, 0]) == .eagain)
    try computer.call(.munlockall, [])
    #expect(computer.process.space.layout.lockedBytes == 0)
    computer.finish()
  }

  @Test func queries() throws {
    let computer = try RadixComputer()
    let base = try computer.map(4)
    #expect(computer.refusal(.mincore, [base + 1, page, base]) == .einval)
    #expect(computer.refusal(.mincore, [base, page, .max]) == .efault)
    #expect(computer.refusal(.mincore, [base, 5 * page, base]) == .enomem)
    #expect(computer.refusal(.mincore, [base, 1 << 60, base]) == .enomem)
    #expect(computer.refusal(.mincore, [base, 4 * page, base]) == nil)
    #expect(computer.refusal(.msync, [base, page, 5]) == .einval)
    #expect(computer.refusal(.msync, [base, page, 8]) == .einval)
    #expect(computer.refusal(.msync, [base, .max, 4]) == nil)
    #expect(computer.refusal(.msync, [base, 5 * page, 4]) == .enomem)
    computer.finish()
  }

  @Test func sealedMappingsStay() throws {
    let computer = try RadixComputer()
    let base = try computer.map(3)
    #expect(computer.refusal(.mseal, [base, page, 1]) == .einval)
    #expect(computer.refusal(.mseal, [base, 4 * page, 0]) == .enomem)
    try computer.call(.mseal, [base + page, page, 0])
    #expect(computer.refusal(.munmap, [base, 3 * page]) == .eperm)
    #expect(computer.refusal(.mprotect, [base, 3 * page, 1]) == .eperm)
    #expect(computer.refusal(.mremap, [base + page, page, 2 * page, 1]) == .eperm)
    #expect(computer.refusal(.mmap, [base, 3 * page, 3, 0x32, .max, 0]) == .eperm)
    #expect(computer.refusal(.munmap, [base, page]) == nil)
    computer.finish()
  }
}

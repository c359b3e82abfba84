// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// SysV segments of pooled huge pages.
struct HugeTLBSegmentTests {
  private let make: UInt64 = 0o4000 | 0o1000 | 0o600

  /// A number of `bytes` bytes in user memory.
  private func read(_ computer: any PoolComputer, _ address: UInt64, _ bytes: UInt64 = 8) -> UInt64 {
    (0..<bytes).reduce(0) { sum, index in
      guard case .byte(let byte) = computer.load(address + index) else { return .max }
      return sum | UInt64(byte) << (index * 8)
    }
  }

  @Test(arguments: PoolDriver.allCases) func segmentsAreAttachedAndShared(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let segment = try computer.call(.shmget, [7, huge + 5, make])
    #expect(computer.pool == [8, 8, 2, 0], "all of it is promised when it is made")
    let first = try computer.call(.shmat, [segment, 0, 0])
    #expect(first % huge == 0)
    let second = try computer.call(.shmat, [segment, hugeBase + 16 * huge + 100, 0o20000 | 0o10000])
    #expect(second == hugeBase + 16 * huge, "SHM_RND rounds down")
    #expect(computer.refusal(.shmat, [segment, hugeBase + page, 0]) == .einval)
    #expect(computer.refusal(.shmat, [segment, hugeBase + 5, 0]) == .einval)
    #expect(computer.refusal(.shmat, [segment + 1, 0, 0]) == .einval)
    for page in 0..<UInt64(2) {
      #expect(computer.store(UInt8(97 + page), page: page, of: first) == .byte(UInt8(97 + page)))
    }
    for page in 0..<UInt64(2) { #expect(computer.load(page: page, of: second) == .byte(UInt8(97 + page))) }
    #expect(computer.store(1, page: 0, of: second) == .refused(.notAllowed))
    try computer.fork(2, of: 1)
    #expect(computer.store(50, page: 1, of: first, pid: 2) == .byte(50))
    #expect(computer.load(page: 1, of: second) == .byte(50))
    #expect(computer.pool == [8, 6, 0, 0])
    computer.exit(2)
    try computer.call(.shmdt, [second])
    try computer.call(.shmdt, [first])
    #expect(computer.store(first, 1) == .refused(.notMapped))
    #expect(computer.pool == [8, 6, 0, 0])
    try computer.call(.shmctl, [segment, 0, 0])
    #expect(computer.pool == [8, 8, 0, 0])
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func removalWaitsForTheLastAttachment(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let segment = try computer.call(.shmget, [0, 3 * huge, make])
    let start = try computer.call(.shmat, [segment, 0, 0])
    try computer.fork(2, of: 1)
    #expect(computer.store(1, page: 2, of: start, pid: 2) == .byte(1))
    try computer.call(.shmctl, [segment, 0, 0])
    #expect(computer.pool == [8, 7, 2, 0])
    try computer.call(.shmdt, [start])
    #expect(computer.load(page: 2, of: start, pid: 2) == .byte(1))
    computer.exit(2)
    #expect(computer.pool == [8, 8, 0, 0], "promises go with the segment")
    computer.expectSound()
    computer.finish()
  }

  @Test(arguments: PoolDriver.allCases) func whatIsKnownOfASegment(_ driver: PoolDriver) throws {
    let computer = try driver.computer()
    let buffer = hugeBase
    try computer.map(1, at: buffer)
    let segment = try computer.call(.shmget, [7, huge + 5, make])
    try computer.call(.shmctl, [segment, 2, buffer])
    #expect(read(computer, buffer, 4) == 7)
    #expect(read(computer, buffer + 20, 4) == 0o600)
    #expect(read(computer, buffer + 48) == huge + 5)
    #expect(read(computer, buffer + 80, 4) == 1, "the process that made it")
    #expect(read(computer, buffer + 84, 4) == 0)
    #expect(read(computer, buffer + 88) == 0)
    for _ in 0..<2 { try computer.call(.shmat, [segment, 0, 0]) }
    try computer.fork(2, of: 1)
    try computer.call(.shmctl, [segment, 2, buffer])
    #expect(read(computer, buffer + 88) == 4, "the child is attached as often")
    _ = try computer.call(.shmat, [segment, 0, 0], pid: 2)
    try computer.call(.shmctl, [segment, 2, buffer])
    #expect(read(computer, buffer + 88) == 5)
    #expect(read(computer, buffer + 84, 4) == 2, "the process that attached last")
    computer.exit(2)
    for (offset, byte) in [(20, 0o44), (21, 1), (22, 0), (23, 0), (4, 5)] {
      computer.store(buffer + UInt64(offset), UInt8(offset == 20 ? 0o44 : byte))
    }
    try computer.call(.shmctl, [segment, 1, buffer])
    try computer.call(.shmctl, [segment, 2, buffer])
    #expect(read(computer, buffer + 4, 4) == 5)
    #expect(read(computer, buffer + 20, 4) == 0o444)
    try computer.call(.shmctl, [segment, 0, 0])
    try computer.call(.shmctl, [segment, 2, buffer])
    #expect(read(computer, buffer + 20, 4) == 0o1444, "it goes with its last attachment")
    computer.finish()
  }

  @Test func refusals() throws {
    let computer = try PoolDriver.radix.computer()
    let segment = try computer.call(.shmget, [7, huge, make])
    #expect(computer.refusal(.shmget, [7, huge, make | 0o2000]) == .eexist)
    #expect(computer.refusal(.shmget, [7, huge + 1, 0o4000]) == .einval)
    #expect(computer.refusal(.shmget, [8, huge, 0o4000]) == .enoent)
    #expect(computer.refusal(.shmget, [8, 0, make]) == .einval)
    #expect(computer.refusal(.shmget, [8, huge, make | 22 << 26]) == .einval)
    #expect(computer.refusal(.shmget, [8, 9 * huge, make]) == .enomem)
    #expect(computer.pool == [8, 8, 1, 0])
    computer.limitSegments(to: 1)
    #expect(computer.refusal(.shmget, [8, huge, make]) == .enospc)
    computer.limitSegments(to: 4096)
    #expect(computer.refusal(.shmctl, [segment, 2, 8]) == .efault)
    #expect(computer.refusal(.shmctl, [segment, 1, 8]) == .efault)
    #expect(computer.refusal(.shmctl, [segment + 9, 2, hugeBase]) == .einval)
    #expect(computer.refusal(.shmctl, [segment, 77, 0]) == .einval)
    // Another user.
    try computer.fork(2, of: 1)
    computer.setUser(99, [], pid: 2)
    #expect(computer.refusal(.shmget, [7, huge, 0o600], pid: 2) == .eacces)
    #expect(computer.refusal(.shmat, [segment, 0, 0], pid: 2) == .eacces)
    #expect(computer.refusal(.shmctl, [segment, 2, 0], pid: 2) == .eacces)
    #expect(computer.refusal(.shmctl, [segment, 0, 0], pid: 2) == .eperm)
    #expect(computer.refusal(.shmget, [9, huge, make], pid: 2) == .eperm)
    computer.setUser(99, .lockMemory, pid: 2)
    let other = try computer.call(.shmget, [9, huge, make | 0o4], pid: 2)
    computer.setUser(0, [], pid: 1)
    #expect(computer.refusal(.shmat, [other, 0, 0]) == .eacces)
    let start = try computer.call(.shmat, [other, 0, 0o10000])
    #expect(computer.load(start) == .byte(0))
    computer.expectSound()
    computer.finish()
  }
}

// SPDX-License-Identifier: MIT
import Hashed
import Radix
import Testing
import VMM

/// fork, files and shared memory, by their contents.
struct SharingTests {
  @Test func forkIsolatesPrivateAndSharesShared() throws {
    let computer = try RadixComputer()
    let mine = try computer.map(2)
    let ours = try computer.map(1, flags: 0x21)
    computer.store(mine, 1)
    let child = try computer.kernel.fork(computer.process, child: 2)
    computer.store(mine, 2, in: child)
    computer.store(ours, 3, in: child)
    #expect(computer.load(mine) == .byte(1))
    #expect(computer.load(ours) == .byte(3))
    let grandchild = try computer.kernel.fork(child, child: 3)
    computer.kernel.exit(2)
    #expect(computer.load(mine, in: grandchild) == .byte(2))
    computer.store(mine, 4)
    #expect(computer.load(mine, in: grandchild) == .byte(2))
    computer.finish()
  }

  @Test func adviceDecidesWhatChildrenGet() throws {
    let computer = try RadixComputer()
    let base = try computer.map(3)
    for number in 0..<UInt64(3) { computer.store(base + number * page, 7) }
    try computer.call(.madvise, [base, page, 10])
    try computer.call(.madvise, [base + page, page, 18])
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(computer.load(base, in: child) == .refused(.notMapped))
    #expect(computer.load(base + page, in: child) == .byte(0))
    #expect(computer.load(base + 2 * page, in: child) == .byte(7))
    #expect(computer.load(base + page) == .byte(7))
    computer.finish()
  }

  @Test func aBorrowerCanGetItsOwnCopy() throws {
    let computer = try Computer<HashedService>()
    let base = try computer.map(1)
    computer.store(base, 1)
    let child = try computer.kernel.share(computer.process, child: 2)
    computer.store(base, 2, in: child)
    #expect(computer.load(base) == .byte(2))
    try computer.kernel.unshare(child)
    try computer.call(.munmap, [base, page], in: child)
    #expect(computer.load(base) == .byte(2))
    #expect(computer.load(base, in: child) == .refused(.notMapped))
    computer.finish()
  }

  @Test func filesAreCoherentAndTruncationReachesCopies() throws {
    let computer = try RadixComputer()
    let file = try computer.memfd(size: 3 * page + 100)
    let shared = try computer.call(.mmap, [0, 8 * page, 3, 1, file, 0])
    let twin = try computer.call(.mmap, [0, 8 * page, 3, 1, file, 0])
    let copy = try computer.call(.mmap, [0, 8 * page, 3, 2, file, 0])
    computer.store(shared + 2 * page + 200, 9)
    #expect(computer.load(twin + 2 * page + 200) == .byte(9))
    #expect(computer.store(copy + 2 * page, 1) == .byte(1))
    #expect(computer.load(shared + 2 * page) == .byte(0))
    #expect(computer.store(shared + 4 * page, 1) == .refused(.beyondEndOfFile))
    try computer.call(.ftruncate, [file, 2 * page + 100])
    #expect(computer.load(copy + 2 * page) == .byte(1), "the file's last page is not cut away")
    try computer.call(.ftruncate, [file, page])
    #expect(computer.load(copy + 2 * page) == .refused(.beyondEndOfFile))
    try computer.call(.ftruncate, [file, 4 * page])
    #expect(computer.load(shared + 2 * page + 200) == .byte(0))
    try computer.call(.fallocate, [file, 3, 0, 4 * page])
    #expect(computer.load(shared) == .byte(0))
    computer.finish()
  }

  @Test func seals() throws {
    let computer = try RadixComputer()
    let file = try computer.memfd(size: 2 * page)
    let base = try computer.call(.mmap, [0, page, 3, 1, file, 0])
    #expect(computer.refusal(.fcntl, [file, 1033, 8]) == .ebusy)
    #expect(computer.refusal(.fcntl, [file, 1033, 32]) == .ebusy, "an executable memfd is write-sealed too")
    #expect(computer.refusal(.fcntl, [file, 1033, 6]) == nil)
    #expect(computer.refusal(.ftruncate, [file, page]) == .eperm)
    #expect(computer.refusal(.ftruncate, [file, 3 * page]) == .eperm)
    #expect(computer.refusal(.fcntl, [file, 1033, 16]) == nil)
    #expect(computer.refusal(.madvise, [base, page, 9]) == .eperm)
    #expect(computer.refusal(.fallocate, [file, 3, 0, page]) == .eperm)
    try computer.call(.munmap, [base, page])
    #expect(computer.refusal(.fcntl, [file, 1033, 8]) == nil)
    #expect(computer.refusal(.mmap, [0, page, 3, 1, file, 0]) == .eperm)
    #expect(try computer.call(.fcntl, [file, 1034]) == 30)
    computer.finish()
  }

  @Test func segmentsLiveUntilTheLastDetach() throws {
    let computer = try RadixComputer()
    let segment = try computer.call(.shmget, [0x99, 2 * page, 0o1600])
    #expect(computer.refusal(.shmget, [0x99, 2 * page, 0o3600]) == .eexist)
    #expect(computer.refusal(.shmget, [0x99, 3 * page, 0]) == .einval)
    #expect(computer.refusal(.shmget, [0x98, page, 0]) == .enoent)
    #expect(computer.refusal(.shmget, [0x98, 0, 0o1600]) == .einval)
    #expect(computer.refusal(.shmat, [segment, 1, 0]) == .einval)
    #expect(computer.refusal(.shmat, [segment + 9, 0, 0]) == .einval)
    #expect(computer.refusal(.shmat, [segment, 0, 0o40000]) == .einval)
    let first = try computer.call(.shmat, [segment, 0, 0])
    let second = try computer.call(.shmat, [segment, 0, 0o10000])
    computer.store(first, 5)
    #expect(computer.load(second) == .byte(5))
    #expect(computer.store(second, 1) == .refused(.notAllowed))
    #expect(computer.refusal(.shmat, [segment, first, 0]) == .einval)
    try computer.call(.shmctl, [segment, 0, 0])
    #expect(computer.refusal(.shmdt, [first + page]) == .einval)
    try computer.call(.shmdt, [first])
    #expect(computer.load(second) == .byte(5))
    try computer.call(.shmdt, [second])
    #expect(computer.refusal(.shmat, [segment, 0, 0]) == .einval)
    computer.finish()
  }

  @Test func punchedPagesAreGoneFromPrivateMappingsUnlessTheyWereCopied() throws {
    let computer = try RadixComputer()
    let file = try computer.memfd(size: 4 * page)
    let shared = try computer.call(.mmap, [0, 4 * page, 3, 1, file, 0])
    let own = try computer.call(.mmap, [0, 4 * page, 3, 2, file, 0])
    for index in 0..<UInt64(2) { computer.store(shared + index * page, 5) }
    #expect(computer.load(own) == .byte(5))
    computer.store(own + page, 6)
    try computer.call(.fallocate, [file, 3, 0, 4 * page])
    computer.store(shared, 7)
    #expect(computer.load(own) == .byte(7))
    #expect(computer.load(own + page) == .byte(6))
    computer.finish()
  }
}

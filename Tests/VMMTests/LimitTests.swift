// SPDX-License-Identifier: MIT
import ECPT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Resource limits: what they refuse, and how they are set.
struct LimitTests {
  private static let structure: UInt64 = 0x10_0000_0000
  private static let (data, stack, locked, space): (UInt64, UInt64, UInt64, UInt64) = (2, 3, 8, 9)

  /// A computer with a page for structures.
  private static func computer<Service: TranslationService>(_ service: Service.Type) throws -> Computer<
    Service
  > {
    let computer = try Computer<Service>()
    _ = try computer.map(1, at: structure, flags: 0x32)
    return computer
  }

  /// Sets a limit and its ceiling by a call.
  private static func limit<Service: TranslationService>(
    _ computer: Computer<Service>, _ resource: UInt64, _ value: UInt64, ceiling: UInt64 = .max
  ) throws {
    computer.storeWord(structure, value)
    computer.storeWord(structure + 8, ceiling)
    try computer.call(.setrlimit, [resource, structure])
  }

  private struct SetAndGet: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try LimitTests.computer(service)
      let other = try computer.kernel.start(2)
      try limit(computer, 9, 77 * page, ceiling: 99 * page)
      try computer.call(.getrlimit, [9, structure + 64])
      #expect(computer.loadWord(structure + 64) == 77 * page)
      #expect(computer.loadWord(structure + 72) == 99 * page)
      try computer.call(.prlimit, [2, 3, structure, structure + 64])
      #expect(computer.loadWord(structure + 64) == 8 << 20)
      #expect(other.space.layout.limits.stack == 77 * page)
      let child = try computer.kernel.fork(computer.process, child: 3)
      #expect(child.space.layout.limits.addressSpace == 77 * page)
      #expect(computer.refusal(.prlimit, [9, 3, 0, structure]) == .esrch)
      #expect(computer.refusal(.prlimit, [0, 16, 0, structure]) == .einval)
      #expect(computer.refusal(.prlimit, [0, 3, 0x100, 0]) == .efault)
      #expect(computer.refusal(.getrlimit, [3, 0x100]) == .efault)
      computer.storeWord(structure, 100 * page)
      #expect(computer.refusal(.setrlimit, [9, structure]) == .einval, "the limit is above its ceiling")
      computer.process.privileges = []
      computer.storeWord(structure + 8, 100 * page)
      #expect(computer.refusal(.setrlimit, [9, structure]) == .eperm)
      other.user = 5
      #expect(computer.refusal(.prlimit, [2, 3, 0, structure]) == .eperm)
      computer.finish()
    }
  }

  @Test func limitsAreReadAndWrittenInUserMemory() throws { try SetAndGet().runEverywhere() }

  private struct Space: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try LimitTests.computer(service)
      let base = try computer.map(9)
      try limit(computer, 9, 12 * page)
      computer.store(base, 1)
      #expect(computer.refusal(.mmap, [0, 3 * page, 1, 0x22, .max, 0]) == .enomem)
      #expect(
        computer.refusal(.mmap, [base - 2 * page, 4 * page, 1, 0x32, .max, 0]) == nil, "two are replaced")
      #expect(computer.load(base) == .byte(0))
      #expect(computer.refusal(.mmap, [base + 64 * page, 1 << 40, 1, 0x32, .max, 0]) == .enomem)
      #expect(computer.refusal(.mremap, [base + 2 * page, 7 * page, 8 * page, 1]) == .enomem)
      let end = try computer.call(.brk, [0])
      #expect(try computer.call(.brk, [end + page]) == end)
      computer.finish()
    }
  }

  @Test("opts/mmap/24-2: RLIMIT_AS refuses what would be too much, not what is replaced")
  func addressSpace() throws { try Space().runEverywhere() }

  private struct Data: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try LimitTests.computer(service)
      try limit(computer, 2, 9 * page)
      let base = try computer.map(4)
      #expect(computer.refusal(.mmap, [0, 5 * page, 3, 0x22, .max, 0]) == .enomem)
      let readable = try computer.map(16, rights: 1)
      #expect(computer.refusal(.mprotect, [readable, 5 * page, 3]) == .enomem)
      try computer.call(.mprotect, [readable, 2 * page, 3])
      #expect(computer.store(readable + page, 4) == .byte(4))
      #expect(computer.store(readable + 2 * page, 4) == .refused(.notAllowed))
      #expect(computer.refusal(.mremap, [base, 4 * page, 7 * page, 1]) == .enomem)
      let end = try computer.call(.brk, [0])
      #expect(try computer.call(.brk, [end + 2 * page]) == end + 2 * page)
      #expect(try computer.call(.brk, [end + 3 * page]) == end + 2 * page)
      #expect(computer.store(end + 2 * page - 1, 3) == .byte(3))
      #expect(computer.refusal(.mmap, [0, 64 * page, 3, 0x21, .max, 0]) == nil, "shared memory is no data")
      computer.finish()
    }
  }

  @Test("sbrk02, sbrk03: RLIMIT_DATA holds back private writable memory, and the break stays where it was")
  func dataSize() throws { try Data().runEverywhere() }

  @Test("mlock02, mlock202, mlock203, opts/mmap/18-1: RLIMIT_MEMLOCK counts every locked page once")
  func lockedMemory() throws {
    let computer = try Self.computer(ECPTService.self)
    let base = try computer.map(8)
    try Self.limit(computer, Self.locked, 4 * page)
    #expect(computer.refusal(.mlock, [base, 5 * page]) == .enomem)
    try computer.call(.mlock, [base, 3 * page])
    try computer.call(.mlock, [base, 4 * page])
    try computer.call(.mlock2, [base + page, 3 * page, 1])
    #expect(computer.process.space.layout.lockedBytes == 4 * page)
    #expect(computer.refusal(.mlock2, [base + 4 * page, page, 0]) == .enomem)
    #expect(computer.refusal(.mmap, [0, page, 3, 0x2022, .max, 0]) == .eagain)
    #expect(computer.refusal(.mlockall, [1]) == .enomem)
    try computer.call(.munlock, [base, 2 * page])
    try computer.call(.mlockall, [2])
    _ = try computer.map(2)
    #expect(computer.refusal(.mmap, [0, page, 3, 0x22, .max, 0]) == .eagain)
    computer.process.privileges.insert(.lockMemory)
    #expect(computer.refusal(.mmap, [0, page, 3, 0x22, .max, 0]) == nil)
    computer.process.privileges.remove(.lockMemory)
    try Self.limit(computer, Self.locked, 0)
    #expect(computer.refusal(.mlock, [base, page]) == .eperm)
    #expect(computer.refusal(.mlock2, [base, page, 1]) == .eperm)
    #expect(computer.refusal(.mlockall, [1]) == .eperm)
    #expect(computer.refusal(.mmap, [0, page, 3, 0x2022, .max, 0]) == .eperm)
    try computer.call(.munlockall, [])
    computer.finish()
  }

  private struct Stack: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try LimitTests.computer(service)
      let top: UInt64 = 0x30_0000_0000
      _ = try computer.map(2, at: top - 2 * page, flags: 0x132)
      #expect(computer.store(top - 5 * page, 5) == .byte(5))
      #expect(computer.process.space.layout.areas.area(at: VirtualAddress(top - 5 * page)) != nil)
      // The limit counts from the top, without the gap.
      try limit(computer, 3, 16 * page)
      #expect(computer.store(top - 16 * page, 6) == .byte(6))
      #expect(computer.store(top - 16 * page - 1, 6) == .refused(.notMapped))
      try limit(computer, 3, 8 << 20)
      // Nothing that is accessible may be nearer than 256 pages.
      let below = top - 400 * page
      _ = try computer.map(1, at: below, flags: 0x32)
      #expect(computer.store(below + 257 * page, 7) == .byte(7))
      #expect(computer.store(below + 256 * page, 8) == .refused(.notMapped))
      try computer.call(.mprotect, [below, page, 0])
      #expect(computer.store(below + 256 * page, 8) == .byte(8))
      // A mapping whose place is free to choose keeps away as well, even if a hint says otherwise.
      let hinted = try computer.map(2, at: below + 250 * page)
      #expect(hinted != below + 250 * page)
      // RLIMIT_AS stops a stack, too.
      let mapped = computer.process.space.layout.mappedBytes
      try limit(computer, 9, mapped)
      #expect(computer.store(below + 255 * page, 9) == .refused(.notMapped))
      #expect(computer.load(top - 5 * page) == .byte(5))
      computer.finish()
    }
  }

  @Test("mmap18, setrlimit04: a stack grows up to its limit, and never within 256 pages of another mapping")
  func stackGrowth() throws { try Stack().runEverywhere() }

  @Test("max_map_count, opts/mmap/24-1: mappings succeed until there are as many areas as allowed")
  func areaCount() throws {
    let computer = try Self.computer(RadixService.self)
    computer.kernel.maximumAreas = 40
    var count = 1
    while computer.refusal(.mmap, [0x20_0000_0000 + UInt64(count) * 2 * page, page, 3, 0x32, .max, 0]) == nil
    {
      count += 1
    }
    #expect(count == 40)
    #expect(computer.process.space.layout.areas.areas.count == 40)
    #expect(computer.refusal(.munmap, [Self.structure, page]) == nil)
    let base = try computer.map(3)
    #expect(computer.refusal(.munmap, [base + page, page]) == .enomem)
    #expect(computer.refusal(.mprotect, [base + page, page, 1]) == .enomem)
    #expect(computer.refusal(.munmap, [base, page]) == nil)
    computer.finish()
  }
}

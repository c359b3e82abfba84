// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Properties of processes and files beside their mappings: no huge pages, the peak of memory, what is cached.
struct ProcessPropertyTests {
  @Test("prctl02: PR_SET_THP_DISABLE takes huge pages away, and unused arguments are zero")
  func noHugePages() throws {
    let settings = HugePageSettings(policy: .always)
    let computer = try RadixComputer(bytes: 64 << 20, hugePages: settings)
    let base: UInt64 = 0x10_0000_0000
    _ = try computer.map(2048, at: base, flags: 0x32)
    computer.store(base, 1)
    #expect(computer.isHuge(base, pid: 1))
    for unused in 2..<5 {
      var arguments: [UInt64] = [41, 1, 0, 0, 0]
      arguments[unused] = 1
      #expect(computer.refusal(.prctl, arguments) == .einval)
      arguments = [42, 0, 0, 0, 0]
      arguments[unused - 1] = 1
      #expect(computer.refusal(.prctl, arguments) == .einval)
    }
    #expect(try computer.call(.prctl, [42, 0, 0, 0, 0]) == 0)
    try computer.call(.prctl, [41, 1, 0, 0, 0])
    #expect(try computer.call(.prctl, [42, 0, 0, 0, 0]) == 1)
    #expect(computer.isHuge(base, pid: 1), "what is there stays")
    let huge: UInt64 = 2 << 20
    computer.store(base + huge, 2)
    #expect(!computer.isHuge(base + huge, pid: 1))
    #expect(computer.refusal(.madvise, [base + huge, huge, 25]) == .einval)
    #expect(computer.kernel.collapseInBackground() == 0)
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(try computer.call(.prctl, [42, 0, 0, 0, 0], in: child) == 1)
    try computer.kernel.execute(child)
    #expect(try computer.call(.prctl, [42, 0, 0, 0, 0], in: child) == 1)
    try computer.call(.prctl, [41, 0, 0, 0, 0])
    computer.store(base + 2 * huge, 3)
    #expect(computer.isHuge(base + 2 * huge, pid: 1))
    #expect(computer.load(base + huge) == .byte(2))
    computer.finish()
  }

  private struct Peaks: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, process) = (computer.kernel, computer.process)
      try kernel.swapOn(pages: 64)
      let base = try computer.map(20)
      for number in 0..<UInt64(12) { computer.store(base + number * page, 1) }
      try computer.call(.munmap, [base, 4 * page])
      #expect(process.space.peakResidentPages == 12 && process.space.residentPages == 8)
      try computer.call(.madvise, [base + 4 * page, 4 * page, 21])
      kernel.clearReferences(process.space, .peak)
      #expect(process.space.peakResidentPages == 4)
      computer.store(base + 15 * page, 1)
      _ = computer.load(base + 4 * page)
      #expect(process.space.peakResidentPages == 6)
      try kernel.execute(process)
      #expect(process.space.peakResidentPages == 0)
      #expect(process.peakResidentPages == 6, "the process had more once")
      computer.finish()
    }
  }

  @Test func thePeakOfMemory() throws { try Peaks().runEverywhere() }

  private struct Caches: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, process) = (computer.kernel, computer.process)
      try kernel.swapOn(pages: 64)
      let (range, answer): (UInt64, UInt64) = (0x10_0000_0000, 0x10_0000_1000)
      _ = try computer.map(2, at: range, flags: 0x32)
      kernel.follow(process, FileCall(.openat, [0, 0, 0o1102], strings: [1: "/data"], result: 9))
      try computer.call(.ftruncate, [9, 16 * page])
      let memory = try computer.memfd(size: 16 * page)
      func ask(_ file: UInt64, _ offset: UInt64 = 0, _ bytes: UInt64 = 0) throws -> [UInt64?] {
        computer.storeWord(range, offset)
        computer.storeWord(range + 8, bytes)
        try computer.call(.cachestat, [file, range, answer, 0])
        return (0..<5).map { computer.loadWord(answer + $0 * 8) }
      }
      for file in [9, memory] {
        let mapping = try computer.call(.mmap, [0, 16 * page, 3, 1, file, 0])
        for number in 0..<UInt64(8) {
          #expect(computer.store(mapping + number * page, UInt8(number + 1)) == .byte(UInt8(number + 1)))
        }
        _ = computer.load(mapping + 9 * page)
        #expect(try ask(file) == [9, file == 9 ? 8 : 0, 0, 0, 0])
        #expect(try ask(file, 2 * page + 1, page) == [2, file == 9 ? 2 : 0, 0, 0, 0])
        try computer.call(.msync, [mapping, 16 * page, 4])
        try computer.call(.fsync, [file])
        #expect(try ask(file) == [9, 0, 0, 0, 0])
        try computer.call(.madvise, [mapping, 4 * page, 21])
        #expect(try ask(file) == [5, 0, 0, 4, 0])
        for number in 0..<UInt64(8) {
          #expect(computer.load(mapping + number * page) == .byte(UInt8(number + 1)))
        }
        computer.store(mapping, 77)
        try computer.call(.msync, [mapping, 16 * page, 4])
        try computer.call(.madvise, [mapping, 16 * page, 21])
        #expect(computer.load(mapping) == .byte(77), "what msync saw is not lost")
        try computer.call(.munmap, [mapping, 16 * page])
      }
      #expect(computer.refusal(.cachestat, [77, range, answer, 0]) == .ebadf)
      #expect(computer.refusal(.cachestat, [9, 0x55_0000_0000, answer, 0]) == .efault)
      #expect(computer.refusal(.cachestat, [9, range, 0x55_0000_0000, 0]) == .efault)
      #expect(computer.refusal(.cachestat, [9, range, answer, 1]) == .einval)
      let pooled = try computer.call(.memfdCreate, [0, 4])
      #expect(computer.refusal(.cachestat, [pooled, range, answer, 0]) == .eopnotsupp)
      #expect(computer.refusal(.fsync, [77]) == .ebadf)
      computer.finish()
    }
  }

  @Test("cachestat01-03: what is cached, changed and evicted, and refusals")
  func caches() throws { try Caches().runEverywhere() }
}

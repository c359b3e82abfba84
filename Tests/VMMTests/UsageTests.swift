// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// What processes used, and which CPU and limits count for whom.
struct UsageTests {
  private struct Usage: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      try computer.kernel.swapOn(pages: 64)
      let out = try computer.map(1)
      computer.store(out, 0)
      func usage(_ who: UInt64, _ other: Computer<Service>.Proc? = nil) throws -> (
        peak: UInt64, minor: UInt64, major: UInt64
      ) {
        try computer.call(.getrusage, [who, out], in: other)
        let word = { (index: UInt64) in computer.loadWord(out + index * 8, in: other) ?? .max }
        for index in [0, 1, 2, 3, 5, 6, 7, 10, 17] as [UInt64] { #expect(word(index) == 0) }
        return (word(4), word(8), word(9))
      }
      let start = try usage(0)
      let data = try computer.map(32)
      for number in 0..<UInt64(8) { computer.store(data + number * page, UInt8(number)) }
      let touched = try usage(0)
      #expect(touched.minor == start.minor + 8 && touched.major == start.major)
      #expect(touched.peak == start.peak + 32, "8 pages in KiB")
      try computer.call(.madvise, [data, 4 * page, 21])
      for number in 0..<UInt64(4) { #expect(computer.load(data + number * page) == .byte(UInt8(number))) }
      #expect(try usage(0).major == start.major + 4, "from swap")
      #expect(try usage(1) == usage(0))
      #expect(try usage(UInt64(UInt32.max)) == (0, 0, 0))
      // Children count when they end; the largest peak stays, faults add up.
      for pages in [20, 12] as [UInt64] {
        let child = try computer.kernel.fork(computer.process, child: 2)
        #expect(try usage(UInt64(UInt32.max), child) == (0, 0, 0), "a child starts without children")
        #expect(try usage(0, child).minor < 4)
        for number in 0..<pages { computer.store(data + (8 + number) * page, 1, in: child) }
        computer.kernel.exit(2)
      }
      let children = try usage(UInt64(UInt32.max))
      #expect(children.minor >= 32 && children.minor < 48)
      #expect(children.peak >= (20 + 8) * 4 && children.peak < (20 + 8 + 6) * 4)
      // Grandchildren count through their parents, and a new program keeps what the old one used.
      let child = try computer.kernel.fork(computer.process, child: 2)
      let grandchild = try computer.kernel.fork(child, child: 3)
      let large = try computer.map(64, in: grandchild)
      for number in 0..<UInt64(64) { computer.store(large + number * page, 1, in: grandchild) }
      computer.kernel.exit(3)
      let before = child.usage
      try computer.kernel.execute(child)
      #expect(child.usage == before)
      computer.kernel.exit(2)
      #expect(try usage(UInt64(UInt32.max)).peak >= 64 * 4)
      #expect(computer.refusal(.getrusage, [2, out]) == .einval)
      #expect(computer.refusal(.getrusage, [0, 0x66_0000_0000]) == .efault)
      computer.finish()
    }
  }

  @Test("getrusage03: faults and the peak of a process, of its children, over fork and exec")
  func usage() throws { try Usage().runEverywhere() }

  private struct Segments: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      computer.process.space.layout.limits.lockedMemory = 8 * page
      try computer.call(.mlockall, [2])
      let large = try computer.call(.shmget, [0, 9 * page, 0o1600])
      let small = try computer.call(.shmget, [0, 8 * page, 0o1600])
      #expect(computer.refusal(.shmat, [large, 0, 0]) == .eagain)
      let base = try computer.call(.shmat, [small, 0, 0])
      #expect(computer.process.space.layout.lockedBytes == 8 * page)
      #expect(computer.process.space.residentPages == 8, "locked memory comes at once")
      #expect(computer.refusal(.shmat, [small, 0, 0]) == .eagain)
      #expect(computer.store(base, 5) == .byte(5))
      try computer.call(.shmdt, [base])
      let again = try computer.call(.shmat, [small, 0, 0])
      #expect(computer.load(again) == .byte(5))
      try computer.call(.munlockall, [])
      let second = try computer.call(.shmat, [large, 0, 0])
      #expect(computer.load(second) == .byte(0))
      computer.finish()
    }
  }

  @Test func segmentsAreLockedWithinTheLimit() throws { try Segments().runEverywhere() }

  private struct Threads: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let (kernel, process) = (computer.kernel, computer.process)
      let thread = try kernel.share(process, child: 2)
      _ = try computer.map(16, at: numaData, flags: 0x32)
      kernel.run(process, on: 1)
      kernel.run(thread, on: 3)
      computer.store(numaData, 1, in: thread)
      #expect(computer.node(numaData) == 3, "the thread runs on CPU 3")
      kernel.act(on: 1)
      computer.store(numaData + page, 1)
      #expect(computer.node(numaData + page) == 1)
      kernel.act(on: 2)
      computer.store(numaData + 2 * page, 1)
      #expect(computer.node(numaData + 2 * page) == 1, "no thread runs on CPU 2")
      kernel.act(on: 0)
      kernel.exit(2)
      computer.finish()
    }
  }

  @Test func pagesComeFromTheNodeOfTheThreadThatTouchesThem() throws { try Threads().runEverywhere() }
}

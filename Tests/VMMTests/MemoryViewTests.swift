// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// What pagemap, smaps and clear_refs show of an address space.
struct MemoryViewTests {
  private static let base: UInt64 = 0x20_0000_0000

  private struct SoftDirty: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, space) = (computer.kernel, computer.process.space)
      try kernel.swapOn(pages: 64)
      func dirty(_ start: UInt64 = base, _ pages: UInt64 = 8) -> [Int] {
        let map = kernel.pageMap(space, VirtualRange(VirtualAddress(start), bytes: pages * page))
        return map.enumerated().filter { $0.element.isSoftDirty }.map(\.offset)
      }
      _ = try computer.map(8, at: base, flags: 0x32)
      for index in 0..<UInt64(6) { computer.store(base + index * page, UInt8(index + 1)) }
      #expect(dirty() == Array(0..<8), "all of it is new")
      kernel.clearReferences(space, .softDirty)
      #expect(dirty() == [])
      computer.store(base + page, 21)
      #expect(computer.load(base + 2 * page) == .byte(3))
      computer.store(base + 7 * page, 27)
      #expect(dirty() == [1, 7])
      // The bits survive swap, and a store to a page in swap is seen.
      try computer.call(.madvise, [base, 8 * page, 21])
      #expect(dirty() == [1, 7])
      #expect(computer.load(base + page) == .byte(21))
      #expect(computer.load(base + 3 * page) == .byte(4))
      computer.store(base + 4 * page, 24)
      #expect(dirty() == [1, 4, 7])
      // A child's pages are its own.
      let child = try kernel.fork(computer.process, child: 2)
      computer.store(base, 30, in: child)
      #expect(dirty() == [1, 4, 7])
      kernel.clearReferences(space, .softDirty)
      computer.store(base + 5 * page, 25)
      #expect(computer.load(base + 5 * page, in: child) == .byte(6))
      #expect(dirty() == [5])
      // What is mapped or moved anew counts as written.
      let moved = try computer.call(.mremap, [base + 2 * page, page, page, 3, base + 64 * page])
      #expect(dirty(moved, 1) == [0])
      _ = try computer.map(2, at: base + 128 * page, flags: 0x32)
      #expect(dirty(base + 128 * page, 2) == [0, 1])
      #expect(computer.load(moved) == .byte(3))
      #expect(computer.load(base) == .byte(1))
      computer.finish()
    }
  }

  @Test func softDirtyBitsShowWhatWasWritten() throws { try SoftDirty().runEverywhere() }

  private struct PageMap: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, space) = (computer.kernel, computer.process.space)
      try kernel.swapOn(pages: 64)
      _ = try computer.map(6, at: base, flags: 0x32)
      _ = try computer.map(2, at: base + 6 * page, flags: 0x31)
      for index: UInt64 in [0, 1, 2, 6] { computer.store(base + index * page, 9) }
      try computer.call(.madvise, [base + 2 * page, page, 21])
      #expect(computer.load(base + 3 * page) == .byte(0))
      try computer.call(.madvise, [base + 4 * page, page, 102])
      let map = kernel.pageMap(space, VirtualRange(VirtualAddress(base), bytes: 9 * page))
      #expect(map.map(\.isPresent) == [true, true, false, true, false, false, true, false, false])
      #expect(map.map(\.isSwapped) == [false, false, true, false, true, false, false, false, false])
      #expect(map.map(\.isGuard) == [false, false, false, false, true, false, false, false, false])
      #expect(map.map(\.isFilePage) == [false, false, false, false, false, false, true, false, false])
      #expect(map.map(\.isExclusive) == [true, true, false, false, false, false, true, false, false])
      // The frame is where the byte really is.
      let frame = FrameNumber(map[1].frame)
      #expect(computer.owner.memory.memory.byte(at: frame.address) == 9)
      let hidden = kernel.pageMap(space, VirtualRange(VirtualAddress(base), bytes: page), showsFrames: false)
      #expect(hidden[0].frame == 0 && hidden[0].isPresent)
      _ = try kernel.fork(computer.process, child: 2)
      #expect(!kernel.pageMap(space, VirtualRange(VirtualAddress(base), bytes: page))[0].isExclusive)
      computer.finish()
    }
  }

  @Test func pageMapShowsWhereEveryPageIs() throws { try PageMap().runEverywhere() }

  private struct Use: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let (kernel, space) = (computer.kernel, computer.process.space)
      try kernel.swapOn(pages: 64)
      func use() -> MemoryUse { kernel.memoryUse(space).reduce(MemoryUse()) { $0 + $1.use } }
      _ = try computer.map(8, at: base, flags: 0x32)
      for index in 0..<UInt64(5) { computer.store(base + index * page, 9) }
      #expect(computer.load(base + 7 * page) == .byte(0))
      try computer.call(.madvise, [base + 4 * page, page, 21])
      var expected = MemoryUse()
      expected.size = 8 * page
      (expected.resident, expected.proportional, expected.privateDirty) = (4 * page, 4 * page, 4 * page)
      (expected.referenced, expected.anonymous, expected.swapped) = (4 * page, 4 * page, page)
      #expect(use() == expected)
      kernel.clearReferences(space, .anonymous)
      #expect(use().referenced == 0)
      #expect(computer.load(base) == .byte(9))
      #expect(use().referenced == page)
      kernel.clearReferences(space, .mapped)
      #expect(use().referenced == page)
      kernel.clearReferences(space, .all)
      #expect(use().referenced == 0)
      _ = try kernel.fork(computer.process, child: 2)
      #expect(use().proportional == 2 * page)
      #expect(use().sharedDirty == 4 * page)
      computer.store(base, 10)
      #expect(use().proportional == page + 3 * page / 2)
      #expect(use().privateDirty == page)
      kernel.exit(2)
      try computer.call(.mlock, [base, 8 * page])
      #expect(use().resident == 8 * page)
      #expect(use().locked == 8 * page)
      #expect(use().swapped == 0)
      computer.finish()
    }
  }

  @Test("mlock05: resident, locked, shared and proportional bytes are told as smaps does")
  func use() throws { try Use().runEverywhere() }

  @Test func hugePagesAreShownWhole() throws {
    let computer = try RadixComputer(hugePages: HugePageSettings(policy: .always))
    let (kernel, space) = (computer.kernel, computer.process.space)
    _ = try computer.map(512, at: Self.base, flags: 0x32)
    computer.store(Self.base + 7 * page, 3)
    let use = kernel.memoryUse(space)[0].use
    #expect(use.resident == 2 << 20 && use.hugePages == 2 << 20 && use.privateDirty == 2 << 20)
    kernel.clearReferences(space, .softDirty)
    let range = VirtualRange(VirtualAddress(Self.base), bytes: 2 << 20)
    let cleared = kernel.pageMap(space, range).filter(\.isSoftDirty)
    #expect(cleared.isEmpty)
    computer.store(Self.base, 4)
    let map = kernel.pageMap(space, range)
    #expect(map.allSatisfy { $0.isSoftDirty && $0.isExclusive })
    #expect(map[7].frame == map[0].frame + 7)
    #expect(computer.load(Self.base + 7 * page) == .byte(3))
    computer.finish()
  }
}

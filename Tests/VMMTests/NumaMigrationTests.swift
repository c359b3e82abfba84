// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// What survives a move: bytes, bits of translations, swap slots, locks, huge pages, files.
struct NumaMigrationTests {
  private struct Bits: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      _ = try computer.map(6, at: numaData, flags: 0x32)
      let space = computer.process.space
      computer.fill(numaData, 5)
      computer.kernel.clearReferences(space, .softDirty)
      computer.store(numaData + page, 50)
      computer.kernel.clearReferences(space, .all)
      _ = computer.load(numaData + 2 * page)
      try computer.call(.mprotect, [numaData + 3 * page, page, 1])
      try computer.call(.mlock, [numaData + 4 * page, page])
      let change = try space.database.updateAttributes(at: VirtualAddress(numaData + 2 * page)) {
        $0.isUserfaultWriteProtected = true
        $0.isWritable = false
      }
      space.database.settle(change.takeObligation())
      func views() -> [[Bool]] {
        (0..<UInt64(5)).map {
          let object = space.database.find(VirtualAddress(numaData + $0 * page))
          return [
            object.isPresent, object.isReadable, object.isWritable, object.isExecutable, object.isAccessed,
            object.isDirty, object.isSoftDirty, object.isUserfaultWriteProtected, object.isUser,
          ]
        }
      }
      let before = views()
      #expect(Set(before.map { "\($0)" }).count > 2, "the pages differ")
      let moved = try computer.movePages((0..<5).map { numaData + $0 * page }, to: [1, 2, 3, 1, 2])
      #expect(moved.status == [1, 2, 3, 1, 2])
      #expect(views() == before)
      #expect(computer.load(numaData + page) == .byte(50))
      #expect(computer.load(numaData + 3 * page + 3) == .byte(4))
      #expect(computer.store(numaData + 3 * page, 1) == .refused(.notAllowed))
      #expect(computer.store(numaData, 8) == .byte(8))
      computer.expectSound()
      computer.finish()
    }
  }

  @Test func bits() throws { try Bits().runEverywhere() }

  private struct SwapAndFiles: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      try computer.kernel.swapOn(pages: 64)
      _ = try computer.map(8, at: numaData, flags: 0x32)
      computer.fill(numaData, 8)
      try computer.call(.madvise, [numaData, 8 * page, 21])
      computer.expectFilled(numaData, 8)
      #expect(computer.kernel.swap.cached == 8, "in memory and in swap")
      let addresses = (0..<UInt64(8)).map { numaData + $0 * page }
      #expect(try computer.movePages(addresses, to: Array(repeating: 2, count: 8)).left == 0)
      #expect(computer.kernel.swap.cached == 8)
      computer.expectFilled(numaData, 8)
      try computer.call(.madvise, [numaData, 8 * page, 21])
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(try computer.movePages([numaData], to: [1]).status == [-2], "a page in swap")
      computer.expectFilled(numaData, 8)
      #expect(try computer.movePages(addresses, to: Array(repeating: 3, count: 8), flags: 4).left == 0)
      computer.expectFilled(numaData, 8, in: child)
      computer.expectFilled(numaData, 8)
      computer.expectSound()
      // Pages of files: the file finds them at their new place.
      let file = try computer.memfd(size: 4 * page)
      let base = try computer.call(.mmap, [0, 4 * page, 3, 1, file, 0])
      computer.fill(base, 4, from: 9)
      #expect(try computer.movePages([base, base + page], to: [1, 2]).status == [1, 2])
      let twin = try computer.call(.mmap, [0, 4 * page, 3, 1, file, 0])
      computer.expectFilled(twin, 4, from: 9)
      #expect(computer.nodes(twin, 2) == [1, 2])
      #expect(try computer.movePages([base], to: [3]).status == [-13], "mapped twice now")
      #expect(try computer.movePages([base], to: [3], flags: 4).status == [3])
      computer.store(twin, 200)
      #expect(computer.load(base) == .byte(200))
      computer.expectSound()
      computer.finish()
    }
  }

  @Test func swapAndFiles() throws { try SwapAndFiles().runEverywhere() }

  private struct HugePages: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes(2, bytes: 32 << 20, hugePages: .always)
      _ = try computer.map(1024, at: numaData, flags: 0x32)
      computer.fill(numaData, 1024)
      let splits = computer.kernel.hugePageCounts.splits
      #expect(try computer.movePages([numaData + 5 * page], to: [1]).status == [1])
      #expect(computer.nodes(numaData, 512).allSatisfy { $0 == 1 }, "as a whole")
      #expect(computer.kernel.hugePageCounts.splits == splits)
      #expect(computer.process.space.database.find(VirtualAddress(numaData)).size == .twoMiB)
      computer.expectFilled(numaData, 1024)
      computer.expectSound()
      // Without a block on the node the base pages move.
      let frames = computer.owner.platform.frames
      var held: [FrameNumber] = []
      while let block = frames.allocate(order: 9, node: 1, within: 2) { held.append(block) }
      for block in held.suffix(2) {
        frames.cut(block, order: 9)
        for step in 1..<UInt64(512) { frames.free(block.advanced(by: step)) }
      }
      let child = try computer.kernel.fork(computer.process, child: 2)
      let moved = try computer.movePages([numaData + 512 * page], to: [1], flags: 4)
      #expect(moved.left == 0 && moved.status == [1])
      #expect(computer.nodes(numaData + 512 * page, 512).allSatisfy { $0 == 1 })
      #expect(computer.kernel.hugePageCounts.splits > splits)
      computer.expectFilled(numaData, 1024)
      computer.expectFilled(numaData, 1024, in: child)
      computer.expectSound()
      for (index, block) in held.enumerated() { frames.free(block, order: index < held.count - 2 ? 9 : 0) }
      computer.finish()
    }
  }

  @Test("A huge page moves whole if there is a block, else split") func hugePages() throws {
    try HugePages().runEverywhere()
  }

  private struct Exhausted: Scenario {
    /// Takes a frame of every free block of node 1.
    private func leaveNoBlock<Service: TranslationService>(_ computer: Computer<Service>) -> [FrameNumber] {
      let frames = computer.owner.platform.frames
      var blocks: [FrameNumber] = []
      while let block = frames.allocate(order: 9, node: 1, within: 2) { blocks.append(block) }
      for block in blocks {
        frames.cut(block, order: 9)
        for step in 1..<UInt64(512) { frames.free(block.advanced(by: step)) }
      }
      return blocks
    }

    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for (policy, hasBlocks) in [(HugePagePolicy.never, true), (.always, true), (.always, false)] {
        var allowed = 0
        var isDone = false
        while !isDone, allowed < 1200 {
          let computer = try Computer<Service>.ofNodes(2, bytes: 32 << 20, hugePages: policy)
          let count: UInt64 = policy == .never ? 6 : 512
          let blocks = hasBlocks ? [] : leaveNoBlock(computer)
          _ = try computer.map(count, at: numaData, flags: 0x32)
          computer.fill(numaData, count)
          let child = try computer.kernel.fork(computer.process, child: 2)
          let mask = computer.mask(1)
          let before = computer.process.space.residentPages
          let frames = computer.owner.platform.frames
          frames.injectFailure(after: allowed, staysBroken: true)
          let refusal = computer.refusal(.mbind, [numaData, count * page, Mode.bind, mask, 65, 5])
          frames.stopInjectingFailures()
          isDone = refusal == nil
          #expect(refusal == nil || refusal == .eio || refusal == .enomem, "\(service) \(allowed)")
          #expect(computer.process.space.residentPages == before)
          computer.expectSound("\(service) \(allowed)")
          let there = computer.nodes(numaData, count).count { $0 == 1 }
          #expect(isDone ? there == Int(count) : there <= allowed)
          computer.expectFilled(numaData, count)
          computer.expectFilled(numaData, count, in: child)
          computer.store(numaData, 99, in: child)
          #expect(computer.load(numaData) == .byte(1))
          for block in blocks { computer.owner.platform.frames.free(block, order: 0) }
          computer.finish()
          allowed += hasBlocks ? 1 : allowed < 8 ? 1 : 100
        }
        #expect(isDone)
      }
    }
  }

  @Test("The n-th allocation fails: what did not move is where it was") func exhausted() throws {
    try Exhausted().runEverywhere()
  }
}

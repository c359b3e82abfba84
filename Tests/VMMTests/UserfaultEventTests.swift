// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// What a monitor learns of fork, mremap, madvise and munmap.
struct UserfaultEventTests {
  private static let (register, copy, protect): (UInt64, UInt64, UInt64) = (
    0xC020_AA00, 0xC028_AA03, 0xC018_AA06
  )

  private struct Forks: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try UserfaultRig<Service>(mode: 3, features: 1 << 1)
      let (computer, watched) = (rig.computer, rig.watched)
      computer.store(rig.source, 7)
      #expect(rig.command(copy, watched, rig.source, page, 2) == nil)
      let child = try computer.kernel.fork(computer.process, child: 2)
      // Until the monitor knows of the child it cannot know for whom a page would be.
      #expect(rig.command(copy, watched + page, rig.source, page, 0) == .eagain)
      #expect(rig.answer(4) == 0 &- 11)
      let event = try #require(try rig.event())
      #expect(event.kind == .fork && event.words == [0x13, UInt64(event.descriptor), 0, 0])
      let other = UInt64(event.descriptor)
      #expect(computer.load(watched, in: child) == .byte(7))
      #expect(computer.store(watched, 8, in: child) == .waits(.writeProtected))
      #expect(try rig.event(of: other)?.flags == 3)
      #expect(computer.load(watched + page, in: child) == .waits(.missing))
      #expect(try rig.event(of: other)?.address == VirtualAddress(watched + page))
      #expect(try rig.event() == nil)
      // The monitor provides for both, each through its own descriptor.
      #expect(rig.command(copy, watched + page, rig.source, page, 0, on: other) == nil)
      #expect(computer.load(watched + page, in: child) == .byte(7))
      #expect(computer.load(watched + page) == .waits(.missing))
      #expect(rig.command(protect, watched, page, 0, on: other) == nil)
      #expect(computer.store(watched, 8, in: child) == .byte(8))
      #expect(computer.load(watched) == .byte(7))
      #expect(computer.store(watched, 9) == .waits(.writeProtected))
      // A grandchild is watched as well; nobody reads of it, and closing ends that.
      let grandchild = try computer.kernel.fork(child, child: 3)
      computer.kernel.follow(computer.process, FileCall(.close, [other], strings: [:], result: 0))
      #expect(computer.load(watched + 5 * page, in: child) == .byte(0))
      #expect(computer.load(watched + 5 * page, in: grandchild) == .byte(0))
      #expect(computer.kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  @Test("UFFD_EVENT_FORK: a child is watched through a descriptor of its own")
  func forks() throws { try Forks().runEverywhere() }

  private struct SharedForks: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try UserfaultRig<Service>(mode: 2, flags: 0x11, features: 1 << 1)
      let (computer, watched) = (rig.computer, rig.watched)
      computer.store(watched, 3)
      #expect(rig.command(protect, watched, 2 * page, 1) == nil)
      let child = try computer.kernel.fork(computer.process, child: 2)
      for number in 0..<UInt64(2) {
        #expect(computer.store(watched + number * page, 9, in: child) == .waits(.writeProtected))
      }
      #expect(computer.load(watched, in: child) == .byte(3))
      #expect(computer.store(watched + 2 * page, 9, in: child) == .byte(9))
      computer.kernel.exit(1)
      #expect(
        computer.store(watched, 9, in: child) == .waits(.writeProtected), "the child has the descriptor")
      computer.kernel.follow(child, FileCall(.close, [rig.descriptor], strings: [:], result: 0))
      #expect(computer.store(watched, 9, in: child) == .byte(9), "with the last descriptor all ends")
      computer.finish()
    }
  }

  @Test func protectionOfSharedMemoryIsInheritedWithTheWatch() throws { try SharedForks().runEverywhere() }

  private struct Moves: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for isTold in [true, false] {
        let rig = try UserfaultRig<Service>(mode: 3, features: isTold ? 1 << 2 : 0)
        let (computer, watched, target) = (rig.computer, rig.watched, UInt64(0x40_0000_0000))
        computer.store(rig.source, 7)
        #expect(rig.command(copy, watched, rig.source, page, 2) == nil)
        try computer.call(.mremap, [watched, 4 * page, 4 * page, 3, target])
        #expect(computer.load(target) == .byte(7))
        if isTold {
          #expect(rig.command(copy, target + page, rig.source, page, 0) == .eagain)
          #expect(rig.command(protect, target, page, 0) == .eagain)
          #expect(try rig.event()?.words == [0x14, watched, target, 4 * page])
          #expect(computer.store(target, 8) == .waits(.writeProtected))
          #expect(computer.load(target + page) == .waits(.missing))
          #expect(rig.command(copy, target + page, rig.source, page, 0) == nil)
          #expect(computer.load(target + page) == .byte(7))
        } else {
          #expect(try rig.event() == nil)
          #expect(computer.store(target, 8) == .byte(8))
          #expect(computer.load(target + page) == .byte(0))
        }
        computer.finish()
      }
    }
  }

  @Test("UFFD_EVENT_REMAP: a moved area stays watched, if the monitor wants to know of moves")
  func moves() throws { try Moves().runEverywhere() }

  private struct Removals: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try UserfaultRig<Service>(mode: 1, features: 1 << 3 | 1 << 6)
      let (computer, watched) = (rig.computer, rig.watched)
      computer.store(rig.source, 7)
      #expect(rig.command(copy, watched, rig.source, 2 * page, 0) == nil)
      try computer.call(.madvise, [watched, page, 4])
      #expect(try rig.event()?.words == [0x15, watched, watched + page, 0])
      #expect(computer.load(watched) == .waits(.missing))
      #expect(try rig.event()?.kind == .pageFault)
      try computer.call(.madvise, [watched + page, page, 22])
      #expect(try rig.event() == nil, "nothing is dropped by that")
      // Three ways to unmap: each tells once, with the range of the call.
      try computer.call(.munmap, [watched + 8 * page, 16 * page])
      #expect(try rig.event()?.words == [0x16, watched + 8 * page, watched + 24 * page, 0])
      try computer.call(.mremap, [watched + 4 * page, 4 * page, 2 * page, 0])
      #expect(try rig.event()?.words == [0x16, watched + 6 * page, watched + 8 * page, 0])
      _ = try computer.map(2, at: watched + 4 * page, flags: 0x32)
      #expect(try rig.event()?.words == [0x16, watched + 4 * page, watched + 6 * page, 0])
      #expect(computer.load(watched + 4 * page) == .byte(0), "what took its place is not watched")
      try computer.call(.munmap, [rig.source + 2 * page, page])
      #expect(try rig.event() == nil, "nobody watches there")
      computer.finish()
    }
  }

  @Test("UFFD_EVENT_REMOVE and UNMAP tell of dropped pages and areas")
  func removals() throws { try Removals().runEverywhere() }

  private struct FailedForks: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for allowed in 0..<6 {
        let rig = try UserfaultRig<Service>(mode: 1, features: 1 << 1)
        let (computer, frames) = (rig.computer, rig.computer.owner.platform.frames)
        for number in 0..<UInt64(16) {
          #expect(rig.command(copy, rig.watched + number * page, rig.source, page, 0) == nil)
        }
        frames.injectFailure(after: allowed, staysBroken: true)
        let child = try? computer.kernel.fork(computer.process, child: 2)
        frames.stopInjectingFailures()
        #expect(try (rig.event() != nil) == (child != nil), "a child that does not exist is not told of")
        computer.finish()
      }
    }
  }

  @Test func aForkThatFailsIsNotTold() throws { try FailedForks().runEverywhere() }
}

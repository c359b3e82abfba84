// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// userfaultfd: a monitor in the same process, or in another one, provides pages, and the bytes that it provided are
/// seen.
struct UserfaultTests {
  private static let structure: UInt64 = 0x10_0000_0000
  private static let source: UInt64 = 0x11_0000_0000
  private static let watched: UInt64 = 0x20_0000_0000
  private static let (api, register, unregister, wake): (UInt64, UInt64, UInt64, UInt64) = (
    0xC018_AA3F, 0xC020_AA00, 0x8010_AA01, 0x8010_AA02
  )
  private static let (copy, zero, protect, proceed): (UInt64, UInt64, UInt64, UInt64) = (
    0xC028_AA03, 0xC020_AA04, 0xC018_AA06, 0xC020_AA07
  )
  private static let (poison, move): (UInt64, UInt64) = (0xC020_AA08, 0xC028_AA05)

  private typealias Rig = UserfaultRig

  private struct Missing: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 1)
      let computer = rig.computer
      for index in 0..<UInt64(256) { computer.store(source + index * 16, UInt8(index & 255)) }
      #expect(computer.load(watched + 5 * page + 7) == .waits(.missing))
      #expect(computer.load(watched + 5 * page + 7) == .waits(.missing))
      let event = try #require(try rig.event())
      #expect(event.address == VirtualAddress(watched + 5 * page))
      #expect(event.flags == 0)
      #expect(try rig.event() == nil, "one event for one page")
      #expect(rig.isWaiting(watched + 5 * page))
      #expect(rig.command(copy, watched + 5 * page, source, page, 0) == nil)
      #expect(rig.answer(4) == page)
      #expect(!rig.isWaiting(watched + 5 * page))
      for index in 0..<UInt64(256) {
        #expect(computer.load(watched + 5 * page + index * 16) == .byte(UInt8(index & 255)))
      }
      #expect(computer.store(watched + 5 * page, 200) == .byte(200))
      #expect(computer.load(source) == .byte(0))
      // There is a page now; a copy stops there.
      #expect(rig.command(copy, watched + 5 * page, source, page, 0) == .eexist)
      #expect(rig.command(copy, watched + 4 * page, source, 2 * page, 0) == .eagain)
      #expect(rig.answer(4) == page)
      // DONTWAKE leaves the waking to another command.
      #expect(computer.store(watched, 1) == .waits(.missing))
      #expect(try rig.event()?.flags == 1)
      #expect(rig.command(copy, watched, source, page, 1) == nil)
      #expect(rig.isWaiting(watched))
      #expect(rig.command(wake, watched, page) == nil)
      #expect(!rig.isWaiting(watched))
      #expect(computer.store(watched, 1) == .byte(1))
      // What the program drops is missing again, and the kernel itself does not wait.
      try computer.call(.madvise, [watched, page, 4])
      #expect(computer.refusal(.mincore, [watched, page, watched]) == .efault)
      #expect(try rig.event() == nil)
      #expect(computer.load(watched) == .waits(.missing))
      // A child is not watched.
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(computer.load(watched, in: child) == .byte(0))
      #expect(computer.load(watched + 5 * page, in: child) == .byte(200))
      #expect(rig.command(unregister, watched, 16 * page) == nil)
      #expect(computer.load(watched) == .byte(0))
      computer.finish()
    }
  }

  @Test("userfaultfd01: a reader waits, the event says where, and UFFDIO_COPY's bytes are seen")
  func missing() throws { try Missing().runEverywhere() }

  private struct Zeroes: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 1)
      #expect(rig.computer.load(watched) == .waits(.missing))
      #expect(rig.command(zero, watched, 2 * page, 0) == nil)
      #expect(rig.answer(3) == 2 * page)
      for offset: UInt64 in [0, 1, 4095, 4096, 8191] {
        #expect(rig.computer.load(watched + offset) == .byte(0))
      }
      #expect(rig.computer.store(watched, 3) == .byte(3))
      #expect(rig.computer.load(watched + page) == .byte(0))
      #expect(rig.computer.load(watched + 2 * page) == .waits(.missing))
      rig.computer.finish()
    }
  }

  @Test("userfaultfd04: UFFDIO_ZEROPAGE makes whole pages of zeroes") func zeroes() throws {
    try Zeroes().runEverywhere()
  }

  private struct Protection: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 3)
      let computer = rig.computer
      try computer.kernel.swapOn(pages: 64)
      computer.store(source, 11)
      #expect(rig.command(copy, watched, source, page, 2) == nil)
      #expect(rig.command(copy, watched + page, source, page, 0) == nil)
      #expect(computer.load(watched) == .byte(11))
      #expect(computer.store(watched, 12) == .waits(.writeProtected))
      let event = try #require(try rig.event())
      #expect(event.flags == 3, "a store to a write-protected page")
      #expect(computer.load(watched) == .byte(11), "the store is not visible while it waits")
      #expect(computer.store(watched + page, 13) == .byte(13))
      #expect(rig.command(protect, watched + page, page, 1) == nil)
      #expect(computer.store(watched + page, 14) == .waits(.writeProtected))
      // Protection survives swap, mprotect and the way back.
      try computer.call(.madvise, [watched, 2 * page, 21])
      #expect(computer.process.space.swappedPages == 2)
      #expect(computer.store(watched + page, 14) == .waits(.writeProtected))
      #expect(computer.load(watched + page) == .byte(13))
      try computer.call(.mprotect, [watched, 2 * page, 1])
      try computer.call(.mprotect, [watched, 2 * page, 3])
      #expect(computer.store(watched + page, 14) == .waits(.writeProtected))
      // A child is not watched, and its parent stays so.
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(computer.store(watched + page, 99, in: child) == .byte(99))
      #expect(computer.store(watched + page, 14) == .waits(.writeProtected))
      #expect(rig.isWaiting(watched + page))
      #expect(rig.command(protect, watched, 2 * page, 0) == nil)
      #expect(!rig.isWaiting(watched + page))
      #expect(computer.store(watched, 12) == .byte(12))
      #expect(computer.store(watched + page, 14) == .byte(14))
      #expect(computer.load(watched + page, in: child) == .byte(99))
      // Protected pages that move are free.
      #expect(rig.command(protect, watched, page, 1) == nil)
      let moved = try computer.call(.mremap, [watched, page, page, 3, 0x30_0000_0000])
      #expect(computer.store(moved, 15) == .byte(15))
      computer.finish()
    }
  }

  @Test(
    "userfaultfd05: a store to a protected page waits, is not visible, and completes when protection goes")
  func protection() throws { try Protection().runEverywhere() }

  private struct Minor: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 5, flags: 0x11)
      let computer = rig.computer
      // Another mapping of the same memory is not watched.
      let window = try computer.call(.mmap, [0, 16 * page, 3, 1, 3, 0])
      #expect(computer.store(window + 2 * page, 21) == .byte(21))
      #expect(computer.load(watched + 2 * page) == .waits(.minor))
      #expect(try rig.event()?.flags == 4)
      #expect(computer.store(window + 2 * page, 22) == .byte(22))
      #expect(rig.command(proceed, watched + 2 * page, page, 0) == nil)
      #expect(rig.answer(3) == page)
      #expect(computer.load(watched + 2 * page) == .byte(22))
      #expect(computer.store(watched + 2 * page, 23) == .byte(23))
      #expect(computer.load(window + 2 * page) == .byte(23))
      // Pages that the file does not have are missing, not minor.
      #expect(computer.load(watched + 3 * page) == .waits(.missing))
      #expect(rig.command(proceed, watched + 3 * page, page, 0) == .efault)
      computer.store(source + 9, 31)
      #expect(rig.command(copy, watched + 3 * page, source, page, 0) == nil)
      #expect(computer.load(watched + 3 * page + 9) == .byte(31))
      #expect(computer.load(window + 3 * page + 9) == .byte(31))
      #expect(rig.command(copy, watched + 3 * page, source, page, 0) == .eexist)
      computer.finish()
    }
  }

  @Test("userfaultfd07: minor faults wait, and the reader gets what the file holds at UFFDIO_CONTINUE")
  func minor() throws { try Minor().runEverywhere() }

  private struct Monitor: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 1)
      let computer = rig.computer
      // The monitor is a child: it has the descriptor, and memory of its own to copy from.
      let monitor = try computer.kernel.fork(computer.process, child: 2)
      computer.store(source, 77, in: monitor)
      #expect(computer.load(watched) == .waits(.missing))
      #expect(try computer.kernel.takeUserfaultEvent(monitor, UInt32(rig.descriptor)) != nil)
      #expect(rig.command(copy, watched, source, page, 0, by: monitor) == nil)
      #expect(computer.load(watched) == .byte(77))
      #expect(computer.load(source) == .byte(0))
      computer.kernel.exit(1)
      #expect(rig.command(copy, watched + page, source, page, 0, by: monitor) == .esrch)
      computer.finish()
    }
  }

  @Test func theMonitorMayBeAnotherProcess() throws { try Monitor().runEverywhere() }

  private struct Moves: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 1)
      let computer = rig.computer
      try computer.kernel.swapOn(pages: 16)
      for number in 0..<UInt64(3) { computer.store(source + number * page + 5, UInt8(number + 41)) }
      #expect(computer.load(watched + 2 * page + 5) == .waits(.missing))
      let frames = computer.owner.platform.frames.freeFrames
      #expect(rig.command(move, watched + 2 * page, source, page, 0) == nil)
      #expect(rig.answer(4) == page)
      #expect(!rig.isWaiting(watched + 2 * page))
      #expect(computer.load(watched + 2 * page + 5) == .byte(41))
      #expect(computer.load(source + 5) == .byte(0), "it is not there any more")
      #expect(computer.owner.platform.frames.freeFrames + 4 >= frames, "nothing was copied")
      #expect(computer.kernel.reverseMapFault() == nil && computer.kernel.brokenCount() == nil)
      // A page in swap moves as well; the one that moved goes to swap and comes back.
      try computer.call(.madvise, [source + page, page, 21])
      try computer.call(.madvise, [watched + 2 * page, page, 21])
      #expect(rig.command(move, watched + 3 * page, source + page, page, 0) == nil)
      #expect(computer.load(watched + 3 * page + 5) == .byte(42))
      #expect(computer.load(watched + 2 * page + 5) == .byte(41))
      #expect(computer.kernel.reverseMapFault() == nil && computer.kernel.brokenCount() == nil)
      // Refusals leave everything as it was.
      #expect(rig.command(move, watched + 2 * page, source + 2 * page, page, 0) == .eexist)
      #expect(rig.answer(4) == 0 &- 17)
      #expect(rig.command(move, watched + 4 * page, source + 3 * page, page, 0) == .enoent)
      #expect(rig.command(move, watched + 4 * page, source + 3 * page, page, 2) == nil)
      #expect(computer.load(watched + 4 * page) == .waits(.missing))
      #expect(rig.command(move, watched + 4 * page, source + 2 * page, page, 4) == .einval)
      #expect(rig.command(move, source + page, source + 2 * page, page, 0) == .einval, "nobody watches there")
      #expect(rig.command(move, watched + 4 * page, 0x66_0000_0000, page, 0) == .enoent)
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(rig.command(move, watched + 4 * page, source + 2 * page, page, 0) == .ebusy, "shared")
      computer.kernel.exit(child.pid)
      #expect(rig.command(move, watched + 4 * page, source + 2 * page, 2 * page, 0) == .eagain)
      #expect(rig.answer(4) == page)
      #expect(computer.load(watched + 4 * page + 5) == .byte(43))
      #expect(computer.store(watched + 4 * page + 5, 99) == .byte(99))
      computer.finish()
    }
  }

  @Test("userfaultfd02: UFFDIO_MOVE moves a page, which resolves the fault")
  func moves() throws { try Moves().runEverywhere() }

  private struct Poison: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for flags in [0x32, 0x11] as [UInt64] {
        let rig = try Rig<Service>(mode: 1, flags: flags)
        let computer = rig.computer
        #expect(computer.load(watched) == .waits(.missing))
        #expect(rig.command(poison, watched, 2 * page, 0) == nil)
        #expect(rig.answer(3) == 2 * page)
        #expect(!rig.isWaiting(watched))
        #expect(computer.load(watched) == .refused(.poisoned))
        #expect(computer.store(watched + page, 1) == .refused(.poisoned))
        #expect(FaultRefusal.poisoned.isBusError && FaultRefusal.poisoned.code == 4)
        #expect(rig.command(poison, watched + page, page, 0) == .eexist)
        #expect(rig.command(poison, watched, page, 2) == .einval)
        #expect(rig.command(poison, source, page, 0) == .enoent)
        #expect(computer.refusal(.madvise, [watched, page, 22]) == .ehwpoison)
        let child = try computer.kernel.fork(computer.process, child: 2)
        #expect(computer.load(watched, in: child) == .refused(.poisoned))
        try computer.call(.madvise, [watched, page, 4])
        #expect(computer.load(watched) == .waits(.missing), "dropped like a page")
        #expect(computer.load(watched + page) == .refused(.poisoned))
        computer.finish()
      }
    }
  }

  @Test("userfaultfd06: a load of a page that UFFDIO_POISON poisoned is a bus error")
  func poisons() throws { try Poison().runEverywhere() }

  private struct Closing: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try Rig<Service>(mode: 3)
      let computer = rig.computer
      #expect(rig.command(copy, watched, source, page, 2) == nil)
      #expect(computer.store(watched, 1) == .waits(.writeProtected))
      #expect(computer.load(watched + page) == .waits(.missing))
      computer.kernel.follow(computer.process, FileCall(.close, [rig.descriptor], strings: [:], result: 0))
      #expect(computer.store(watched, 1) == .byte(1))
      #expect(computer.load(watched + page) == .byte(0))
      #expect(computer.process.space.layout.areas.area(at: VirtualAddress(watched))?.userfault == 0)
      computer.finish()
    }
  }

  @Test func closingTheDescriptorEndsAllWaiting() throws { try Closing().runEverywhere() }

  @Test func refusals() throws {
    let rig = try Rig<RadixService>(mode: 1)
    let computer = rig.computer
    #expect(computer.refusal(.userfaultfd, [2]) == .einval)
    #expect(rig.command(Self.api, 0xAA, 0, 0) == .einval, "that was agreed already")
    #expect(computer.refusal(.ioctl, [77, Self.api, Self.structure]) == .ebadf)
    let file = try computer.memfd(size: page)
    #expect(computer.refusal(.ioctl, [file, Self.api, Self.structure]) == .enotty)
    #expect(rig.command(Self.register, Self.watched, page, 0) == .einval)
    #expect(rig.command(Self.register, Self.watched + 1, page, 1) == .einval)
    #expect(
      rig.command(Self.register, Self.watched, page, 4) == .einval, "private memory has no minor faults")
    #expect(rig.command(Self.register, 0x40_0000_0000, page, 1) == .einval)
    #expect(rig.command(Self.copy, 0x40_0000_0000, Self.source, page, 0) == .enoent)
    #expect(rig.command(Self.copy, Self.source, Self.source, page, 0) == .enoent)
    #expect(rig.command(Self.copy, Self.watched, 0x40_0000_0000, page, 0) == .efault)
    #expect(rig.answer(4) == 0 &- 14)
    #expect(rig.command(Self.copy, Self.watched, Self.source, page, 2) == .einval)
    #expect(rig.command(Self.proceed, Self.watched, page, 0) == .einval)
    #expect(rig.command(Self.protect, Self.watched, page, 1) == .enoent)
    let fresh = try computer.call(.userfaultfd, [0])
    computer.storeWord(Self.structure, Self.watched)
    #expect(
      computer.refusal(.ioctl, [fresh, Self.wake, Self.structure]) == .einval, "nothing before UFFDIO_API")
    computer.storeWord(Self.structure, 0xAA)
    computer.storeWord(Self.structure + 8, 1 << 40)
    #expect(computer.refusal(.ioctl, [fresh, Self.api, Self.structure]) == .einval)
    computer.storeWord(Self.structure, 0xAA)
    computer.storeWord(Self.structure + 8, 0)
    #expect(computer.refusal(.ioctl, [fresh, Self.api, Self.structure]) == nil)
    computer.storeWord(Self.structure, Self.watched)
    computer.storeWord(Self.structure + 8, page)
    computer.storeWord(Self.structure + 16, 1)
    #expect(computer.refusal(.ioctl, [fresh, Self.register, Self.structure]) == .ebusy)
    computer.finish()
  }
}

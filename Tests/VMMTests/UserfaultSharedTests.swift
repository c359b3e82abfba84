// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Write protection by userfaultfd where there may be no page: shared memory, and private memory with
/// UFFD_FEATURE_WP_UNPOPULATED.
struct UserfaultSharedTests {
  private static let (copy, protect, poison): (UInt64, UInt64, UInt64) = (
    0xC028_AA03, 0xC018_AA06, 0xC020_AA08
  )

  private struct Shared: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try UserfaultRig<Service>(mode: 2, flags: 0x11, features: 1 << 12)
      let (computer, watched) = (rig.computer, rig.watched)
      try computer.kernel.swapOn(pages: 64)
      // Another mapping of the same memory is not protected.
      let window = try computer.call(.mmap, [0, 16 * page, 3, 1, 3, 0])
      for number in 0..<UInt64(3) { computer.store(watched + number * page + 1, UInt8(number + 21)) }
      #expect(rig.command(protect, watched, 8 * page, 1) == nil)
      #expect(computer.load(watched + 1) == .byte(21))
      #expect(computer.store(watched + 1, 99) == .waits(.writeProtected))
      #expect(try rig.event()?.flags == 3)
      #expect(computer.load(watched + 1) == .byte(21), "the store is not visible while it waits")
      #expect(computer.store(window + 1, 31) == .byte(31))
      #expect(computer.load(watched + 1) == .byte(31))
      // Page 5 was never touched: it is protected all the same, and page 9 is not.
      #expect(computer.load(watched + 5 * page) == .byte(0))
      #expect(computer.store(watched + 5 * page, 1) == .waits(.writeProtected))
      #expect(computer.store(watched + 6 * page, 1) == .waits(.writeProtected))
      #expect(computer.store(watched + 9 * page, 1) == .byte(1))
      // Protection outlasts MADV_DONTNEED and reclaim, which take translations of shared memory away.
      try computer.call(.madvise, [watched, 8 * page, 4])
      #expect(computer.store(watched + page + 1, 99) == .waits(.writeProtected))
      #expect(computer.load(watched + 2 * page + 1) == .byte(23))
      try computer.call(.madvise, [watched, 4 * page, 21])
      try computer.call(.madvise, [window, 16 * page, 21])
      #expect(computer.kernel.swap.used > 0)
      #expect(computer.store(watched + 2 * page + 1, 99) == .waits(.writeProtected))
      #expect(computer.load(watched + 2 * page + 1) == .byte(23))
      #expect(computer.kernel.brokenCount() == nil && computer.kernel.reverseMapFault() == nil)
      // A child is not watched.
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(computer.store(watched + 6 * page, 44, in: child) == .byte(44))
      #expect(computer.load(watched + 6 * page) == .byte(44))
      #expect(computer.store(watched + 6 * page, 45) == .waits(.writeProtected))
      // Clearing completes the store.
      #expect(rig.isWaiting(watched + 6 * page))
      #expect(rig.command(protect, watched, 8 * page, 0) == nil)
      #expect(!rig.isWaiting(watched + 6 * page))
      for number in 0..<UInt64(8) {
        #expect(computer.store(watched + number * page, UInt8(number + 50)) == .byte(UInt8(number + 50)))
        #expect(computer.load(window + number * page) == .byte(UInt8(number + 50)))
      }
      computer.finish()
    }
  }

  @Test("userfaultfd05 on a memfd: protection of shared memory outlasts drop, swap and untouched pages")
  func shared() throws { try Shared().runEverywhere() }

  private struct MissingToo: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try UserfaultRig<Service>(mode: 3, flags: 0x11)
      let (computer, watched) = (rig.computer, rig.watched)
      #expect(rig.command(protect, watched, 4 * page, 1) == nil)
      // There is no page at all: that comes first.
      #expect(computer.store(watched, 1) == .waits(.missing))
      computer.store(rig.source, 7)
      #expect(rig.command(copy, watched, rig.source, page, 2) == nil)
      #expect(computer.load(watched) == .byte(7))
      #expect(computer.store(watched, 1) == .waits(.writeProtected))
      // A copy that does not ask for protection takes the place of a protected void.
      #expect(rig.command(copy, watched + page, rig.source, page, 0) == nil)
      #expect(computer.store(watched + page, 8) == .byte(8))
      #expect(rig.command(poison, watched + 2 * page, page, 0) == .eexist)
      // Without the descriptor nobody protects anything.
      computer.kernel.follow(computer.process, FileCall(.close, [rig.descriptor], strings: [:], result: 0))
      #expect(computer.store(watched, 1) == .byte(1))
      #expect(computer.store(watched + 3 * page, 2) == .byte(2))
      #expect(computer.kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  @Test func aMissingPageIsAwaitedBeforeItsProtection() throws { try MissingToo().runEverywhere() }

  private struct Unpopulated: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for feature in [0, 1 << 13] as [UInt64] {
        let rig = try UserfaultRig<Service>(mode: 2, features: feature)
        let (computer, watched) = (rig.computer, rig.watched)
        computer.store(watched, 5)
        #expect(rig.command(protect, watched, 4 * page, 1) == nil)
        #expect(computer.store(watched, 6) == .waits(.writeProtected))
        let outcome: AccessOutcome = feature == 0 ? .byte(1) : .waits(.writeProtected)
        #expect(computer.store(watched + page, 1) == outcome)
        #expect(computer.load(watched + 2 * page) == .byte(0))
        #expect(computer.store(watched + 2 * page, 1) == outcome)
        try computer.call(.madvise, [watched, 4 * page, 4])
        #expect(computer.store(watched + 3 * page, 1) == .byte(1), "private memory forgets with its pages")
        computer.finish()
      }
    }
  }

  @Test func privateMemoryIsProtectedBeforeItIsTouchedIfAskedFor() throws {
    try Unpopulated().runEverywhere()
  }

  private struct Device: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let rig = try UserfaultRig<Service>(mode: 1, viaDevice: true)
      #expect(rig.computer.load(rig.watched) == .waits(.missing))
      #expect(try rig.event()?.address == VirtualAddress(rig.watched))
      rig.computer.store(rig.source + 3, 9)
      #expect(rig.command(copy, rig.watched, rig.source, page, 0) == nil)
      #expect(rig.computer.load(rig.watched + 3) == .byte(9))
      #expect(rig.computer.refusal(.ioctl, [9, 0xAA01, 0]) == .einval)
      #expect(rig.computer.refusal(.ioctl, [9, 0xAA00, 2]) == .einval)
      rig.computer.process.privileges = []
      #expect(rig.computer.refusal(.userfaultfd, [0]) == .eperm)
      #expect(rig.computer.refusal(.userfaultfd, [1]) == nil)
      rig.computer.finish()
    }
  }

  @Test("userfaultfd03: a userfaultfd of /dev/userfaultfd works like one of the call")
  func device() throws { try Device().runEverywhere() }
}

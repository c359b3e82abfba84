// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// move_pages, migrate_pages and mbind with flags, by statuses, places and bytes.
struct NumaMoveTests {
  private struct Moves: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      _ = try computer.map(16, at: numaData, flags: 0x32)
      computer.fill(numaData, 8)
      _ = computer.load(numaData + 9 * page)
      let pages = (0..<UInt64(10)).map { numaData + $0 * page } + [0x7000_0000]
      let asked = try computer.movePages(pages)
      #expect(asked.left == 0)
      #expect(asked.status == [0, 0, 0, 0, 0, 0, 0, 0, -2, -14, -14], "move_pages01, 04")
      let moved = try computer.movePages(pages, to: [1, 2, 3, 1, 2, 3, 0, 1, 1, 1, 1])
      #expect(moved.left == 0)
      #expect(moved.status == [1, 2, 3, 1, 2, 3, 0, 1, -2, -14, -14], "move_pages02, 09")
      #expect(computer.nodes(numaData, 8) == [1, 2, 3, 1, 2, 3, 0, 1])
      computer.expectFilled(numaData, 8)
      #expect(computer.kernel.numaCounts.migrated == 7)
      computer.expectSound()
      // Shared pages stay without MOVE_ALL.
      let child = try computer.kernel.fork(computer.process, child: 2)
      let shared = try computer.movePages([numaData, numaData + page], to: [3, 3])
      #expect(shared.status == [-13, -13], "move_pages05")
      let all = try computer.movePages([numaData, numaData + page], to: [3, 2], flags: 4)
      #expect(all.status == [3, 2], "move_pages03")
      #expect(computer.nodes(numaData, 2) == [3, 2] && computer.nodes(numaData, 2, in: child) == [3, 2])
      computer.expectFilled(numaData, 8)
      computer.expectFilled(numaData, 8, in: child)
      computer.store(numaData, 99, in: child)
      #expect(computer.load(numaData) == .byte(1), "still copy-on-write")
      #expect(try computer.movePages([numaData], to: [1], pid: 2).status == [1], "another process's page")
      #expect(computer.node(numaData, in: child) == 1)
      // What somebody holds by its frame stays.
      let held = computer.process.space.database.find(VirtualAddress(numaData + 4 * page)).frame
      computer.owner.platform.frames.table.retain(held)
      #expect(try computer.movePages([numaData + 4 * page], to: [3], flags: 4).status == [-16])
      let mask = computer.mask(3)
      #expect(computer.refusal(.mbind, [numaData + 4 * page, page, Mode.bind, mask, 65, 5]) == .eio)
      #expect(
        try computer.policy(numaData + 4 * page, flags: 2) == (Mode.bind, 8), "the policy is set all the same"
      )
      _ = computer.owner.platform.frames.table.release(held)
      computer.expectFilled(numaData, 8)
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("move_pages01, 02, 03, 04, 05, 09: statuses, places and bytes") func moves() throws {
    try Moves().runEverywhere()
  }

  @Test("move_pages06, 07, 10, 11: errors") func errors() throws {
    let computer = try Computer<RadixService>.ofNodes()
    _ = try computer.map(2, at: numaData, flags: 0x32)
    computer.fill(numaData, 2)
    let other = try computer.kernel.start(2)
    func refusal(_ nodes: [UInt64], pid: UInt64 = 0, flags: UInt64 = 2) -> Errno? {
      do { _ = try computer.movePages([numaData, numaData + page], to: nodes, pid: pid, flags: flags) } catch
      {
        return error
      }
      return nil
    }
    #expect(refusal([1, 4]) == .enodev)
    #expect(computer.nodes(numaData, 2) == [1, 0], "what came before was done")
    #expect(refusal([0, 0], pid: 77) == .esrch)
    #expect(refusal([0, 0], flags: 1) == .einval)
    computer.process.privileges = []
    computer.process.user = 5
    #expect(refusal([0, 0], flags: 4) == .eperm)
    #expect(refusal([0, 0], pid: 2) == .eperm)
    other.user = 5
    #expect(refusal([0, 0], pid: 2) == nil)
    try computer.kernel.allow(NodeSet(3), for: computer.process.space)
    #expect(refusal([0, 2]) == .eacces)
    #expect(computer.refusal(.movePages, [0, 1, 0x7000_0000_0000, 0, numaArguments, 0]) == .efault)
    computer.finish()
  }

  private struct Strict: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      for (mode, offset) in [(Mode.preferred, 0), (Mode.bind, 16), (Mode.interleave, 32)]
        as [(UInt64, UInt64)]
      {
        let base = numaData + offset * page
        _ = try computer.map(16, at: base, flags: 0x32)
        computer.fill(base, 8)
        let mask = computer.mask(2)
        #expect(computer.refusal(.mbind, [base, 16 * page, mode, mask, 65, 1]) == .eio, "mbind02")
        #expect(try computer.policy(base, flags: 2) == (0, 0), "refused before anything was set")
        try computer.call(.mbind, [base, 16 * page, mode, mask, 65, 3])
        #expect(computer.nodes(base, 8) == Array(repeating: 2, count: 8), "mbind03")
        computer.expectFilled(base, 8)
        computer.store(base + 8 * page, 5)
        #expect(computer.node(base + 8 * page) == 2)
      }
      let child = try computer.kernel.fork(computer.process, child: 2)
      let mask = computer.mask(3)
      try computer.call(.mbind, [numaData, 4 * page, Mode.bind, mask, 65, 2])
      #expect(computer.nodes(numaData, 4) == [2, 2, 2, 2], "shared")
      try computer.call(.mbind, [numaData, 4 * page, Mode.bind, mask, 65, 4])
      #expect(computer.nodes(numaData, 4, in: child) == [3, 3, 3, 3])
      computer.expectFilled(numaData, 8, in: child)
      computer.process.privileges = []
      #expect(computer.refusal(.mbind, [numaData, page, Mode.bind, mask, 65, 4]) == .eperm)
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("mbind02, mbind03: strict and moving") func strict() throws { try Strict().runEverywhere() }

  private struct Everything: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      _ = try computer.map(16, at: numaData, flags: 0x32)
      let ours = try computer.call(.mmap, [0, 8 * page, 3, 0x21, .max, 0])
      try computer.call(.setMempolicy, [Mode.interleave, computer.mask(0, 1), 65])
      computer.fill(numaData, 16)
      computer.fill(ours, 8, from: 50)
      let child = try computer.kernel.fork(computer.process, child: 2)
      let (old, new) = (computer.mask(0, 1, at: 64, in: child), computer.mask(2, 3, at: 128, in: child))
      let before = computer.nodes(numaData, 16)
      child.privileges = []
      #expect(try computer.call(.migratePages, [0, 65, old, new], in: child) == 0)
      #expect(computer.nodes(numaData, 16, in: child) == before, "shared pages stay")
      computer.store(numaData + 3 * page, 77, in: child)
      let own = try #require(computer.node(numaData + 3 * page, in: child))
      #expect(try computer.call(.migratePages, [0, 65, old, new], in: child) == 0)
      #expect(computer.node(numaData + 3 * page, in: child) == own + 2, "migrate_pages02")
      child.privileges = .schedule
      #expect(try computer.call(.migratePages, [1, 65, old, new], in: child) == 0)
      #expect(computer.nodes(numaData, 16) == before.map { $0.map { $0 + 2 } }, "node by node")
      #expect(computer.nodes(ours, 8).allSatisfy { $0 == 2 || $0 == 3 })
      for number in 0..<UInt64(16) where number != 3 {
        #expect(computer.load(numaData + number * page + number, in: child) == .byte(UInt8(number + 1)))
      }
      computer.expectFilled(numaData, 16)
      computer.expectFilled(ours, 8, from: 50, in: child)
      #expect(computer.load(numaData + 3 * page, in: child) == .byte(77))
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("migrate_pages02: own, shared and others' pages") func everything() throws {
    try Everything().runEverywhere()
  }

  @Test("migrate_pages01: errors") func migrationErrors() throws {
    let computer = try Computer<RadixService>.ofNodes()
    let other = try computer.kernel.start(2)
    let (old, new, far) = (computer.mask(0), computer.mask(1, at: 64), computer.mask(9, at: 128))
    func refusal(_ pid: UInt64, _ bits: UInt64, _ old: UInt64, _ new: UInt64) -> Errno? {
      computer.refusal(.migratePages, [pid, bits, old, new])
    }
    #expect(refusal(0, 65, old, new) == nil)
    #expect(refusal(99, 65, old, new) == .esrch)
    #expect(refusal(0, 1 << 20, old, new) == .einval)
    #expect(refusal(0, 65, old, far) == .einval)
    #expect(refusal(0, 65, 0x7000_0000_0000, new) == .efault)
    #expect(refusal(0, 65, old, 0x7000_0000_0000) == .efault)
    other.user = 1
    computer.process.user = 2
    computer.process.privileges = []
    #expect(refusal(2, 65, old, new) == .eperm)
    #expect(refusal(0, 65, old, far) == .eperm)
    computer.finish()
  }
}

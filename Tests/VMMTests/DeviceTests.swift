// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

private let mega: UInt64 = 2 << 20
private let giga: UInt64 = 1 << 30

/// Memory of devices that programs map directly: pages as large as the driver has them, and the same bytes through every
/// mapping, before and after splits.
struct DeviceTests {
  private struct Machine<Service: TranslationService> {
    let computer: Computer<Service>
    let bytes: UInt64

    /// A machine with `/dev/dax` open as descriptor 9.
    init(bytes: UInt64) throws {
      computer = try Computer<Service>(bytes: 4 << 30)
      self.bytes = bytes
      try computer.kernel.addDevice("/dev/dax", bytes: bytes)
      let call = FileCall(.openat, [0xFFFF_FF9C, 0, 2], strings: [1: "/dev/dax"], result: 9)
      computer.kernel.follow(computer.process, call)
    }

    func map(at address: UInt64 = 0, bytes: UInt64, offset: UInt64 = 0, rights: UInt64 = 3) throws -> UInt64 {
      try computer.call(.mmap, [address, bytes, rights, address == 0 ? 1 : 0x11, 9, offset])
    }

    /// The size of the page that translates an address.
    func size(_ address: UInt64) -> PageSize? {
      let object = computer.process.space.database.find(VirtualAddress(address))
      return object.isPresent ? object.size : nil
    }

    var sizes: PageSizes { computer.kernel.service.pageSizes }

    /// Bytes at chosen distances are what was written there.
    func expect(_ base: UInt64, _ marks: [UInt64], except: Set<UInt64> = []) {
      for (number, mark) in marks.enumerated() where !except.contains(mark) {
        #expect(computer.load(base + mark) == .byte(UInt8(number + 1)), "at distance \(mark)")
      }
    }

    func finish() {
      #expect(computer.kernel.brokenCount() == nil)
      computer.finish()
    }
  }

  private struct Largest: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let machine = try Machine<Service>(bytes: giga + 2 * mega)
      let computer = machine.computer
      let base = try machine.map(bytes: giga + 2 * mega)
      let marks = [0, 4097, mega + 5, giga - 1, giga + 3, giga + 2 * mega - 1]
      for (number, mark) in marks.enumerated() { computer.store(base + mark, UInt8(number + 1)) }
      let largest: PageSize = machine.sizes.contains(.oneGiB) ? .oneGiB : .twoMiB
      #expect(machine.size(base) == largest)
      #expect(machine.size(base + giga) == .twoMiB)
      let huge = computer.process.space.faults.huge
      #expect(huge == (largest == .oneGiB ? 3 : 5))
      // Another mapping of the middle sees the same bytes, through smaller pages.
      let window = try machine.map(bytes: 4 * page, offset: mega)
      #expect(computer.load(window + 5) == .byte(3))
      #expect(machine.size(window) == .base)
      #expect(computer.store(window + 6, 77) == .byte(77))
      #expect(computer.load(base + mega + 6) == .byte(77))
      let child = try computer.kernel.fork(computer.process, child: 2)
      #expect(computer.store(base + mega + 7, 78, in: child) == .byte(78))
      #expect(computer.load(base + mega + 7) == .byte(78))
      machine.expect(base, marks)
      // Behind the device is nothing.
      let beyond = try machine.map(bytes: 4 * mega, offset: giga)
      #expect(computer.load(beyond + 2 * mega) == .refused(.beyondEndOfFile))
      machine.finish()
    }
  }

  @Test("A device gets 1 GiB and 2 MiB pages where address, offset and length allow it")
  func largest() throws { try Largest().runEverywhere() }

  private struct Splits: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let machine = try Machine<Service>(bytes: giga)
      let (computer, base) = (machine.computer, giga * 64)
      _ = try machine.map(at: base, bytes: giga)
      let marks = [0, mega - 1, mega, 3 * mega + 9, giga / 2, giga / 2 + page, giga - 1]
      for (number, mark) in marks.enumerated() { computer.store(base + mark, UInt8(number + 1)) }
      // mprotect of one page: it is alone then, its neighbours are small, the rest is of 2 MiB.
      try computer.call(.mprotect, [base + giga / 2 + page, page, 1])
      #expect(machine.size(base + giga / 2 + page) == .base)
      #expect(machine.size(base + 3 * mega) == .twoMiB)
      #expect(computer.store(base + giga / 2 + page, 9) == .refused(.notAllowed))
      #expect(computer.store(base + giga / 2 + 2 * page, 9) == .byte(9))
      machine.expect(base, marks)
      // munmap of a part.
      try computer.call(.munmap, [base + mega, page])
      #expect(computer.load(base + mega) == .refused(.notMapped))
      #expect(machine.size(base + mega + page) == .base)
      machine.expect(base, marks, except: [mega])
      // mremap: pages stay large where both places are aligned alike.
      let moved = giga * 80 + 2 * mega
      try computer.call(.mremap, [base + 2 * mega, 4 * mega, 4 * mega, 3, moved])
      #expect(machine.size(moved + mega) == .twoMiB)
      #expect(computer.load(moved + mega + 9) == .byte(4))
      let crooked = giga * 90 + page
      try computer.call(.mremap, [moved, 4 * mega, 4 * mega, 3, crooked])
      #expect(computer.load(crooked + mega + 9) == .byte(4))
      #expect(machine.size(crooked + mega + 9) == .base)
      // What is dropped comes back with its bytes.
      try computer.call(.madvise, [base + 6 * mega, mega + page, 4])
      #expect(machine.size(base + 6 * mega) == nil)
      machine.expect(base, marks, except: [mega, 3 * mega + 9])
      #expect(computer.kernel.brokenCount() == nil)
      // A fresh mapping of the whole has the largest pages again, and all bytes.
      let again = try machine.map(bytes: giga)
      machine.expect(again, marks)
      #expect(machine.size(again) == (machine.sizes.contains(.oneGiB) ? .oneGiB : .twoMiB))
      machine.finish()
    }
  }

  @Test func splitPagesKeepTheirBytes() throws { try Splits().runEverywhere() }

  private struct Moves: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let machine = try Machine<Service>(bytes: giga)
      let (computer, base) = (machine.computer, giga * 64)
      _ = try machine.map(at: base, bytes: giga)
      let marks = [5, mega + 6, giga - 1]
      for (number, mark) in marks.enumerated() { computer.store(base + mark, UInt8(number + 1)) }
      try computer.call(.mremap, [base, giga, giga, 3, giga * 70])
      #expect(machine.size(giga * 70) == (machine.sizes.contains(.oneGiB) ? .oneGiB : .twoMiB), "moved whole")
      machine.expect(giga * 70, marks)
      // Aligned to 2 MiB only.
      try computer.call(.mremap, [giga * 70, giga, giga, 3, giga * 75 + 4 * mega])
      #expect(machine.size(giga * 75 + 4 * mega) == .twoMiB)
      machine.expect(giga * 75 + 4 * mega, marks)
      machine.finish()
    }
  }

  @Test func largePagesMoveWholeWhereTheyFit() throws { try Moves().runEverywhere() }

  private struct Rules: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let machine = try Machine<Service>(bytes: mega + page)
      let computer = machine.computer
      #expect(computer.refusal(.mmap, [0, page, 3, 2, 9, 0]) == .einval, "no private mappings")
      let base = try machine.map(bytes: 2 * mega)
      #expect(computer.refusal(.ftruncate, [9, 0]) == .einval)
      #expect(computer.refusal(.fallocate, [9, 3, 0, page]) == .enodev)
      #expect(computer.refusal(.madvise, [base, page, 9]) == .eopnotsupp)
      #expect(computer.refusal(.madvise, [base, page, 8]) == .einval)
      #expect(computer.refusal(.madvise, [base, page, 25]) == .einval)
      #expect(computer.store(base, 4) == .byte(4))
      #expect(machine.size(base) == .twoMiB)
      try computer.call(.madvise, [base, 2 * mega, 21])
      #expect(machine.size(base) == .twoMiB, "nothing to take")
      try computer.call(.mlock, [base, page])
      let locked = try computer.call(.mmap, [0, page, 3, 0x2001, 9, 0])
      #expect(machine.size(locked) == .base, "brought in")
      #expect(computer.process.space.layout.lockedBytes == 0)
      #expect(
        computer.kernel.residentPages(computer.process.space, VirtualRange(VirtualAddress(base), bytes: mega))
          == 512)
      try computer.call(.madvise, [base, 2 * mega, 4])
      // Without huge pages where nobody wants them.
      try computer.call(.madvise, [base, 2 * mega, 15])
      #expect(computer.load(base) == .byte(4))
      #expect(machine.size(base) == .base)
      try computer.call(.madvise, [base + page, page, 102])
      #expect(computer.load(base + page) == .refused(.notMapped))
      #expect(computer.load(base + 2 * page) == .byte(0))
      try computer.call(.mmap, [0, 2 * mega, 1, 0x8001, 9, 0])
      machine.finish()
    }
  }

  @Test func devicesHaveRulesOfTheirOwn() throws { try Rules().runEverywhere() }

  private struct Exhaustion: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for allowed in 0..<12 {
        let machine = try Machine<Service>(bytes: 4 * mega)
        let (computer, base) = (machine.computer, giga * 64)
        _ = try machine.map(at: base, bytes: 4 * mega)
        let marks = [3, mega + 4, 2 * mega + 5]
        for (number, mark) in marks.enumerated() { computer.store(base + mark, UInt8(number + 1)) }
        let frames = computer.owner.platform.frames
        frames.injectFailure(after: allowed, staysBroken: true)
        let refusal = computer.refusal(.munmap, [base + page, page])
        _ = computer.refusal(.mremap, [base + 2 * mega, mega, mega, 3, giga * 70 + page])
        frames.stopInjectingFailures()
        #expect(refusal == nil || refusal == .enomem)
        if computer.process.space.layout.areas.area(at: VirtualAddress(base + 2 * mega)) != nil {
          machine.expect(base, marks)
        } else {
          machine.expect(base, Array(marks.dropLast()))
        }
        machine.finish()
      }
    }
  }

  @Test func whenTablesRunOutNothingIsLost() throws { try Exhaustion().runEverywhere() }
}

// SPDX-License-Identifier: MIT
import ECPT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Promised memory: what counts, and what the three modes refuse.
struct OvercommitTests {
  private struct Counting: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let kernel = computer.kernel
      let base = try computer.map(8)
      #expect(kernel.committedPages == 8)
      let readable = try computer.map(8, rights: 1)
      _ = try computer.map(8, flags: 0x4022)
      #expect(kernel.committedPages == 8, "neither what cannot be written nor MAP_NORESERVE counts")
      let shared = try computer.map(4, flags: 0x21)
      #expect(kernel.committedPages == 12)
      try computer.call(.mprotect, [readable, 2 * page, 3])
      #expect(kernel.committedPages == 14)
      try computer.call(.mprotect, [readable, 2 * page, 1])
      #expect(kernel.committedPages == 12, "no page of it was ever written")
      computer.store(base, 1)
      try computer.call(.mprotect, [base, 8 * page, 1])
      #expect(kernel.committedPages == 12, "what was written counts on")
      try computer.call(.mprotect, [base, 8 * page, 3])
      let moved = try computer.call(.mremap, [base, 8 * page, 10 * page, 1])
      #expect(kernel.committedPages == 14)
      let child = try kernel.fork(computer.process, child: 2)
      #expect(kernel.committedPages == 24, "shared memory is promised once")
      try computer.call(.munmap, [moved, 5 * page])
      #expect(kernel.committedPages == 19)
      try computer.call(.munmap, [shared, 4 * page])
      #expect(kernel.committedPages == 19)
      try computer.call(.munmap, [shared, 4 * page], in: child)
      #expect(kernel.committedPages == 15)
      kernel.exit(2)
      #expect(kernel.committedPages == 5)
      let end = try computer.call(.brk, [0])
      try computer.call(.brk, [end + 3 * page])
      #expect(kernel.committedPages == 8)
      let segment = try computer.call(.shmget, [0, 6 * page, 0o1600])
      #expect(kernel.committedPages == 14)
      try computer.call(.shmctl, [segment, 0, 0])
      #expect(kernel.committedPages == 8)
      computer.finish()
      #expect(kernel.committedPages == 0)
    }
  }

  @Test func everyPromiseIsCountedOnce() throws { try Counting().runEverywhere() }

  @Test func guessRefusesWhatCanNeverBe() throws {
    let computer = try RadixComputer(bytes: 64 << 20)
    computer.kernel.overcommit.mode = .guess
    #expect(computer.refusal(.mmap, [0, 65 << 20, 3, 0x22, .max, 0]) == .enomem)
    #expect(computer.refusal(.mmap, [0, 65 << 20, 1, 0x22, .max, 0]) == nil)
    #expect(computer.refusal(.mmap, [0, 65 << 20, 3, 0x4022, .max, 0]) == nil)
    for _ in 0..<4 { #expect(computer.refusal(.mmap, [0, 60 << 20, 3, 0x22, .max, 0]) == nil) }
    computer.kernel.overcommit.mode = .always
    #expect(computer.refusal(.mmap, [0, 1 << 40, 3, 0x22, .max, 0]) == nil)
    computer.finish()
  }

  @Test("oom01: with overcommit 2 the hog gets ENOMEM, and nobody is killed") func neverIsFirm() throws {
    let computer = try Computer<ECPTService>(bytes: 64 << 20)
    let kernel = computer.kernel
    kernel.overcommit.mode = .never
    kernel.overcommit.pages = 1000
    kernel.overcommit.keptFromProcess = 0
    let base = try computer.map(600)
    #expect(computer.refusal(.mmap, [0, 401 * page, 3, 0x22, .max, 0]) == .enomem)
    #expect(computer.refusal(.mmap, [0, 401 * page, 3, 0x4022, .max, 0]) == .enomem, "NORESERVE is ignored")
    #expect(computer.refusal(.mmap, [0, 401 * page, 3, 0x21, .max, 0]) == .enomem)
    #expect(computer.refusal(.mmap, [base, 600 * page, 3, 0x32, .max, 0]) == nil, "what goes counts for it")
    computer.store(base, 3)
    #expect(throws: Errno.enomem) { _ = try kernel.fork(computer.process, child: 2) }
    #expect(kernel.processes.count == 1)
    #expect(computer.load(base) == .byte(3))
    #expect(computer.refusal(.mremap, [base, 600 * page, 1001 * page, 1]) == .enomem)
    let readable = try computer.map(500, rights: 1)
    #expect(computer.refusal(.mprotect, [readable, 500 * page, 3]) == .enomem)
    #expect(computer.refusal(.mprotect, [readable, 400 * page, 3]) == nil)
    let end = try computer.call(.brk, [0])
    #expect(try computer.call(.brk, [end + page]) == end)
    try kernel.swapOn(pages: 1000)
    #expect(kernel.commitLimit == 2000)
    _ = try kernel.fork(computer.process, child: 2).pid
    computer.finish()
  }

  @Test func administratorsKeepAReserve() throws {
    let computer = try RadixComputer()
    computer.kernel.overcommit.mode = .never
    computer.kernel.overcommit.pages = 1000
    computer.kernel.overcommit.keptForAdministrators = 100
    computer.process.privileges = []
    #expect(computer.refusal(.mmap, [0, 901 * page, 3, 0x22, .max, 0]) == .enomem)
    computer.process.privileges = .administer
    #expect(computer.refusal(.mmap, [0, 901 * page, 3, 0x22, .max, 0]) == nil)
    computer.finish()
  }
}

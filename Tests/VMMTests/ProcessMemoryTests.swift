// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// process_vm_readv, process_vm_writev and process_madvise, by the bytes that both processes see afterwards.
struct ProcessMemoryTests {
  /// Where vectors are stored, and where data are.
  private static let vectors: UInt64 = 0x10_0000_0000
  private static let data: UInt64 = 0x20_0000_0000

  /// A computer with two processes that have 8 pages for vectors and 16 of data each, of their own.
  private static func pair<Service: TranslationService>(_ service: Service.Type) throws
    -> (Computer<Service>, Computer<Service>.Proc)
  {
    let computer = try Computer<Service>()
    let other = try computer.kernel.start(2)
    for process in [computer.process, other] {
      _ = try computer.map(8, at: vectors, flags: 0x32, in: process)
      _ = try computer.map(16, at: data, flags: 0x32, in: process)
    }
    return (computer, other)
  }

  private struct Reads: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let (computer, other) = try pair(service)
      for index in 0..<UInt64(600) {
        computer.store(data + 3800 + index, UInt8(truncatingIfNeeded: index &* 7 + 1), in: other)
      }
      // Two pieces here, three there, cut at different places and over a page border.
      let local = computer.vector([(data + 10, 100), (data + 5000, 400)], at: vectors)
      let remote = computer.vector(
        [(data + 3800, 250), (data, 0), (data + 4050, 350)], at: vectors + 512)
      let copied = try computer.call(.processVmReadv, [2, local[0], local[1], remote[0], remote[1], 0])
      #expect(copied == 500)
      for index in 0..<UInt64(500) {
        let address = index < 100 ? data + 10 + index : data + 5000 + index - 100
        #expect(computer.load(address) == .byte(UInt8(truncatingIfNeeded: index &* 7 + 1)))
      }
      #expect(computer.load(data + 110) == .byte(0))
      computer.finish()
    }
  }

  @Test("process_vm_readv02: the reader gets what the other process stored") func reads() throws {
    try Reads().runEverywhere()
  }

  private struct Writes: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let (computer, _) = try pair(service)
      computer.store(data, 5)
      let child = try computer.kernel.fork(computer.process, child: 3)
      for index in 0..<UInt64(300) { computer.store(data + 8192 + index, 0x77) }
      let local = computer.vector([(data + 8192, 300)], at: vectors)
      let remote = computer.vector([(data + 4000, 300)], at: vectors + 512)
      #expect(try computer.call(.processVmWritev, [3, local[0], 1, remote[0], 1, 0]) == 300)
      for index in 0..<UInt64(300) {
        #expect(computer.load(data + 4000 + index, in: child) == .byte(0x77))
        #expect(computer.load(data + 4000 + index) == .byte(0))
      }
      #expect(computer.load(data, in: child) == .byte(5))
      computer.finish()
    }
  }

  @Test("process_vm_writev02: the target sees all bytes, and its copy-on-write is broken, not the writer's")
  func writes() throws { try Writes().runEverywhere() }

  private struct Swapped: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let (computer, other) = try pair(service)
      try computer.kernel.swapOn(pages: 64)
      for index in 0..<UInt64(16) { computer.store(data + index * page, UInt8(index + 1), in: other) }
      let pidfd = try computer.call(.pidfdOpen, [2, 0])
      let whole = computer.vector([(data, 8 * page), (data + 8 * page, 8 * page)], at: vectors)
      #expect(try computer.call(.processMadvise, [pidfd, whole[0], 2, 21, 0]) == 16 * page)
      #expect(other.space.swappedPages == 16)
      let local = computer.vector([(data, 16 * page)], at: vectors + 512)
      #expect(try computer.call(.processVmReadv, [2, local[0], 1, local[0], 1, 0]) == 16 * page)
      for index in 0..<UInt64(16) {
        #expect(computer.load(data + index * page) == .byte(UInt8(index + 1)))
        #expect(computer.load(data + index * page, in: other) == .byte(UInt8(index + 1)))
      }
      computer.finish()
    }
  }

  @Test("process_madvise01: pages of another process go to swap and come back unchanged, also through a copy")
  func swapped() throws { try Swapped().runEverywhere() }

  private struct Refusals: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let (computer, other) = try pair(service)
      let local = computer.vector([(data, 100)], at: vectors)
      let remote = computer.vector([(data, 100)], at: vectors + 512)
      let wild = computer.vector([(0x7000_0000, 100)], at: vectors + 1024)
      let negative = computer.vector([(data, .max)], at: vectors + 1040)
      let high = computer.vector([(.max - 4096, 100)], at: vectors + 1056)
      func refusal(_ arguments: [UInt64]) -> Errno? { computer.refusal(.processVmReadv, arguments) }
      #expect(refusal([2, local[0], 1, remote[0], 1, 1]) == .einval)
      #expect(refusal([2, local[0], 1025, remote[0], 1, 0]) == .einval)
      #expect(refusal([2, local[0], 1, remote[0], 1025, 0]) == .einval)
      #expect(refusal([2, negative[0], 1, remote[0], 1, 0]) == .einval)
      #expect(refusal([2, local[0], 1, negative[0], 1, 0]) == .einval)
      #expect(refusal([2, 0x100, 1, remote[0], 1, 0]) == .efault)
      #expect(refusal([2, local[0], 1, 0x100, 1, 0]) == .efault)
      #expect(refusal([2, wild[0], 1, remote[0], 1, 0]) == .efault)
      #expect(refusal([2, high[0], 1, remote[0], 1, 0]) == .efault)
      #expect(refusal([2, local[0], 1, wild[0], 1, 0]) == .efault)
      #expect(refusal([2, local[0], 1, high[0], 1, 0]) == .efault)
      #expect(refusal([99, local[0], 1, remote[0], 1, 0]) == .esrch)
      #expect(refusal([99, local[0], 0, remote[0], 1, 0]) == nil, "nothing to copy is fine")
      computer.process.user = 1
      computer.process.privileges = []
      #expect(refusal([2, local[0], 1, remote[0], 1, 0]) == .eperm)
      other.user = 1
      #expect(refusal([2, local[0], 1, remote[0], 1, 0]) == nil)
      // What the target may not read itself, nobody reads: the first page only is copied.
      try computer.call(.mprotect, [data + page, page, 0], in: other)
      let long = computer.vector([(data, 2 * page)], at: vectors + 2048)
      #expect(try computer.call(.processVmReadv, [2, long[0], 1, long[0], 1, 0]) == page)
      let hidden = computer.vector([(data + page, page)], at: vectors + 2048)
      #expect(refusal([2, long[0], 1, hidden[0], 1, 0]) == .efault)
      #expect(computer.refusal(.processVmWritev, [2, local[0], 1, hidden[0], 1, 0]) == .efault)
      computer.finish()
    }
  }

  @Test("process_vm01: refusals, and partial results up to what cannot be reached") func refusals() throws {
    try Refusals().runEverywhere()
  }

  private struct AdviceRefusals: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let (computer, other) = try pair(service)
      let pidfd = try computer.call(.pidfdOpen, [2, 0])
      let own = try computer.call(.pidfdOpen, [1, 0])
      let whole = computer.vector([(data, page), (0x7000_0000, page)], at: vectors)
      func refusal(_ arguments: [UInt64]) -> Errno? { computer.refusal(.processMadvise, arguments) }
      #expect(refusal([77, whole[0], 1, 20, 0]) == .ebadf)
      #expect(refusal([pidfd, whole[0], 1, 20, 1]) == .einval)
      #expect(refusal([pidfd, whole[0], 1, 4, 0]) == .einval, "contents of others are not dropped")
      #expect(try computer.call(.processMadvise, [pidfd, whole[0], 2, 20, 0]) == page)
      computer.store(data, 9)
      #expect(try computer.call(.processMadvise, [own, whole[0], 1, 4, 0]) == page)
      #expect(computer.load(data) == .byte(0))
      #expect(refusal([pidfd, whole[0] + 16, 1, 20, 0]) == .enomem)
      computer.process.privileges = []
      #expect(refusal([pidfd, whole[0], 1, 20, 0]) == .eperm)
      computer.kernel.exit(other.pid)
      #expect(refusal([pidfd, whole[0], 1, 20, 0]) == .esrch)
      #expect(computer.refusal(.pidfdOpen, [2, 0]) == .esrch)
      #expect(computer.refusal(.mmap, [0, page, 1, 2, pidfd, 0]) == .enodev)
      computer.finish()
    }
  }

  @Test func adviceForOthersIsRefused() throws { try AdviceRefusals().runEverywhere() }

  @Test func copiesWithinOneProcessMayOverlap() throws {
    let (computer, _) = try Self.pair(RadixService.self)
    for index in 0..<UInt64(64) { computer.store(Self.data + index, UInt8(index)) }
    let local = computer.vector([(Self.data + 8, 64)], at: Self.vectors)
    let remote = computer.vector([(Self.data, 64)], at: Self.vectors + 512)
    #expect(try computer.call(.processVmReadv, [1, local[0], 1, remote[0], 1, 0]) == 64)
    for index in 0..<UInt64(64) { #expect(computer.load(Self.data + 8 + index) == .byte(UInt8(index))) }
    computer.finish()
  }
}

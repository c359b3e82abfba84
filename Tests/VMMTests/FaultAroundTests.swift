// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Mapping the neighbours of a file page that was used.
struct FaultAroundTests {
  private static let (shared, own): (UInt64, UInt64) = (0x20_0000_0000, 0x30_0000_0000)

  private struct Around: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>()
      let kernel = computer.kernel
      let file = try computer.memfd(size: 40 * page)
      try computer.call(.mmap, [shared, 48 * page, 3, 0x11, file, 0])
      for index in 0..<UInt64(40) where index != 3 {
        computer.store(shared + index * page, UInt8(index + 1))
      }
      kernel.faultAroundPages = 16
      let other = try kernel.start(2)
      let descriptor = try #require(computer.process.descriptors[UInt32(file)])
      #expect(descriptor.isReadable)
      let child = try kernel.fork(computer.process, child: 3)
      func mapped() -> [UInt64] {
        (0..<48).filter { child.space.database.find(VirtualAddress(own + $0 * page)).isPresent }
      }
      try computer.call(.mmap, [own + page, 46 * page, 3, 0x12, file, page], in: child)
      #expect(computer.load(own + 5 * page, in: child) == .byte(6))
      // The window ends at the area's start, and leaves out what the file does not have in memory.
      #expect(mapped() == (1..<16).filter { $0 != 3 })
      #expect(kernel.pagesMappedAround == 13)
      #expect(child.space.faults.minor == 1)
      for index in 1..<UInt64(16) where index != 3 {
        #expect(computer.load(own + index * page, in: child) == .byte(UInt8(index + 1)))
      }
      #expect(child.space.faults.minor == 1, "one fault was enough")
      // A store maps nothing but its page; what it copies stays its own.
      computer.store(own + 20 * page, 99, in: child)
      #expect(mapped() == (1..<16).filter { $0 != 3 } + [20])
      #expect(computer.load(own + 35 * page, in: child) == .byte(36))
      #expect(mapped() == (1..<16).filter { $0 != 3 } + [20] + Array(32..<40), "not behind the file's end")
      #expect(computer.load(own + 40 * page, in: child) == .refused(.beyondEndOfFile))
      computer.store(own + 6 * page, 77, in: child)
      #expect(computer.load(shared + 6 * page) == .byte(7))
      computer.store(shared + 7 * page, 55)
      #expect(computer.load(own + 7 * page, in: child) == .byte(55))
      #expect(computer.load(own + 20 * page, in: child) == .byte(99))
      #expect(other.space.residentPages == 0)
      computer.finish()
    }
  }

  @Test func neighboursInMemoryAreMappedByOneFault() throws { try Around().runEverywhere() }

  @Test func aloneUnlessAskedFor() throws {
    let computer = try RadixComputer()
    let file = try computer.memfd(size: 16 * page)
    try computer.call(.mmap, [Self.shared, 16 * page, 3, 0x11, file, 0])
    try computer.call(.mmap, [Self.own, 16 * page, 1, 0x12, file, 0])
    for index in 0..<UInt64(16) { computer.store(Self.shared + index * page, 1) }
    for index in 0..<UInt64(16) { #expect(computer.load(Self.own + index * page) == .byte(1)) }
    #expect(computer.process.space.faults.minor == 32)
    #expect(computer.kernel.pagesMappedAround == 0)
    computer.finish()
  }
}

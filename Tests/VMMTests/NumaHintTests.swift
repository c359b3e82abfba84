// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Pages that follow their users, and faults on pages that are on their way.
struct NumaHintTests {
  private struct Follows: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let kernel = computer.kernel
      _ = try computer.map(8, at: numaData, flags: 0x32)
      try computer.run(on: 0)
      computer.fill(numaData, 8)
      #expect(kernel.markForHints() == 0, "off by default")
      kernel.balancing.isOn = true
      try computer.run(on: 2)
      #expect(kernel.markForHints() >= 8)
      let faults = computer.process.space.faults.minor
      computer.expectFilled(numaData, 8)
      #expect(computer.process.space.faults.minor >= faults + 8, "each page faults once")
      #expect(computer.nodes(numaData, 8).allSatisfy { $0 == 0 }, "the first time nothing moves")
      computer.expectFilled(numaData, 8)
      let kept = kernel.numaCounts.hintFaults
      computer.expectFilled(numaData, 8)
      #expect(kernel.numaCounts.hintFaults == kept, "accessible again")
      kernel.markForHints()
      computer.expectFilled(numaData, 4)
      #expect(computer.nodes(numaData, 4).allSatisfy { $0 == 2 }, "the second time they follow")
      // The others are used from elsewhere now.
      try computer.run(on: 3)
      computer.expectFilled(numaData, 8)
      #expect(computer.nodes(numaData, 8) == [2, 2, 2, 2, 0, 0, 0, 0])
      #expect(kernel.numaCounts.hintMigrated >= 4)
      computer.expectSound()
      // Bound memory stays, unless its policy says that it may follow.
      try computer.call(.mbind, [numaData, 2 * page, Mode.bind, computer.mask(2), 65, 0])
      try computer.call(
        .mbind, [numaData + 2 * page, 2 * page, Mode.bind | Mode.balancing, computer.mask(2, 3), 65, 0])
      for _ in 0..<2 {
        kernel.markForHints()
        computer.expectFilled(numaData, 4)
      }
      #expect(computer.nodes(numaData, 4) == [2, 2, 3, 3])
      computer.expectSound()
      computer.finish()
    }
  }

  @Test func follows() throws { try Follows().runEverywhere() }

  private struct Waits: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      for isForked in [false, true] {
        let computer = try Computer<Service>.ofNodes()
        let kernel = computer.kernel
        _ = try computer.map(4, at: numaData, flags: 0x32)
        computer.fill(numaData, 4)
        let child = isForked ? try kernel.fork(computer.process, child: 2) : nil
        let before = computer.process.space.residentPages
        #expect(kernel.startMove(VirtualAddress(numaData), of: computer.process.space, to: 3))
        #expect(kernel.startMove(VirtualAddress(numaData + page), of: computer.process.space, to: 2))
        #expect(computer.node(numaData) == nil, "on its way")
        #expect(computer.process.space.residentPages == before - 2)
        #expect(computer.load(numaData, in: child) == .byte(1), "whoever comes gets the page")
        #expect(computer.node(numaData) == 3 && computer.process.space.residentPages == before - 1)
        // Calls in between see the page too.
        try computer.call(.mprotect, [numaData + page, page, 1])
        let grandchild = try kernel.fork(computer.process, child: 3)
        computer.expectFilled(numaData, 4, in: grandchild)
        #expect(computer.node(numaData + page) == 2)
        #expect(computer.store(numaData + page, 1) == .refused(.notAllowed))
        computer.store(numaData, 44, in: grandchild)
        computer.expectFilled(numaData, 4)
        computer.expectSound()
        // What is unmapped in between does not come back.
        #expect(kernel.startMove(VirtualAddress(numaData + 2 * page), of: computer.process.space, to: 1))
        try computer.call(.munmap, [numaData + 2 * page, page])
        #expect(computer.load(numaData + 2 * page) == .refused(.notMapped))
        #expect(computer.load(numaData + 2 * page + 2, in: grandchild) == .byte(3))
        #expect(kernel.startMove(VirtualAddress(numaData + 3 * page), of: computer.process.space, to: 1))
        computer.finish()
      }
    }
  }

  @Test("A fault on a page that is on its way waits for it") func waits() throws {
    try Waits().runEverywhere()
  }

  @Test("cpuset_memory: pages move with the allowed nodes; files are spread") func allowedNodes() throws {
    let computer = try Computer<RadixService>.ofNodes()
    let space = computer.process.space
    _ = try computer.map(32, at: numaData, flags: 0x32)
    computer.fill(numaData, 8)
    try computer.kernel.allow(NodeSet(0b0110), for: space)
    #expect(computer.nodes(numaData, 8).allSatisfy { $0 == 0 })
    computer.fill(numaData + 8 * page, 4)
    #expect(computer.nodes(numaData + 8 * page, 4).allSatisfy { $0 == 1 }, "the nearest allowed node")
    let child = try computer.kernel.fork(computer.process, child: 2)
    #expect(
      computer.refusal(.setMempolicy, [Mode.bind, computer.mask(3, in: child), 65], in: child) == .einval)
    computer.kernel.exit(2)
    #expect(try computer.kernel.allow(NodeSet(0b1000), for: space, migrates: true) == 0)
    #expect(computer.nodes(numaData + 8 * page, 4).allSatisfy { $0 == 3 })
    computer.expectFilled(numaData + 8 * page, 4)
    try computer.kernel.allow(NodeSet(0b1111), for: space)
    computer.kernel.spreadFilePages(true, of: space)
    var known = Circumstances()
    known.isAccepted = true
    let base = try computer.call(.mmap, [0, 64 * page, 3, 1, 77, 0], in: nil, known)
    computer.fill(base, 64)
    for node in 0..<4 { #expect(computer.nodes(base, 64).count { $0 == node } == 16) }
    #expect(computer.node(numaData) == 0)
    computer.expectSound()
    computer.finish()
  }
}

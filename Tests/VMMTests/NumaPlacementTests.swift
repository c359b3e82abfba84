// SPDX-License-Identifier: MIT
import EMTCore
import Radix
import SimMemory
import Testing
import VMM

/// Pages and tables come from the nodes that policies say, on every driver.
struct NumaPlacementTests {
  private struct Task: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      _ = try computer.map(64, at: numaData, flags: 0x32)
      computer.fill(numaData, 4)
      #expect(computer.nodes(numaData, 4) == [0, 0, 0, 0], "the CPU's node")
      for (mode, node) in [(Mode.bind, 2), (Mode.preferred, 3)] {
        try computer.call(.setMempolicy, [mode, computer.mask(node), 65])
        computer.fill(numaData + 4 * page, 4)
        #expect(computer.nodes(numaData + 4 * page, 4) == Array(repeating: node, count: 4))
        let child = try computer.kernel.fork(computer.process, child: 2)
        computer.fill(numaData + 32 * page, 16, in: child)
        #expect(computer.nodes(numaData + 32 * page, 16, in: child) == Array(repeating: node, count: 16))
        computer.expectFilled(numaData + 4 * page, 4, in: child)
        computer.store(numaData, 9, in: child)
        #expect(computer.node(numaData, in: child) == node && computer.node(numaData) == 0, "copies too")
        computer.expectSound()
        computer.kernel.exit(2)
        try computer.call(.madvise, [numaData + 4 * page, 4 * page, 4])
      }
      try computer.call(.setMempolicy, [Mode.local, 0, 0])
      try computer.run(on: 1)
      computer.fill(numaData + 8 * page, 2)
      #expect(computer.nodes(numaData + 8 * page, 2) == [1, 1])
      computer.finish()
    }
  }

  @Test("mbind04, set_mempolicy01: parent and child get pages of the node") func task() throws {
    try Task().runEverywhere()
  }

  private struct Interleaved: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      _ = try computer.map(96, at: numaData, flags: 0x32)
      try computer.call(.setMempolicy, [Mode.interleave, computer.mask(0, 1, 3), 65])
      computer.fill(numaData, 24)
      let nodes = computer.nodes(numaData, 24)
      for node in [0, 1, 3] { #expect(nodes.count { $0 == node } == 8) }
      computer.kernel.interleaveWeights = [3, 1, 1, 2]
      try computer.call(
        .mbind, [numaData + 48 * page, 48 * page, Mode.weighted, computer.mask(0, 1, 3), 65, 0])
      computer.fill(numaData + 48 * page, 48)
      let weighted = computer.nodes(numaData + 48 * page, 48)
      #expect([0, 1, 3].map { node in weighted.count { $0 == node } } == [24, 8, 16])
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("set_mempolicy02: pages are spread exactly evenly") func interleaved() throws {
    try Interleaved().runEverywhere()
  }

  private struct Files: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let shared = try computer.memfd(size: 64 * page)
      let base = try computer.call(.mmap, [0, 64 * page, 3, 1, shared, 0])
      try computer.call(.setMempolicy, [Mode.bind, computer.mask(1), 65])
      computer.fill(base, 16)
      #expect(computer.nodes(base, 16) == Array(repeating: 1, count: 16))
      // The policy is the object's: whoever maps it gets it, also from other offsets.
      try computer.call(.mbind, [base + 16 * page, 16 * page, Mode.preferred, computer.mask(3), 65, 0])
      let child = try computer.kernel.fork(computer.process, child: 3)
      let twin = try computer.call(.mmap, [0, 32 * page, 3, 1, shared, 16 * page], in: child)
      computer.fill(twin, 20, in: child)
      #expect(computer.nodes(twin, 20, in: child) == Array(repeating: 3, count: 16) + [1, 1, 1, 1])
      #expect(computer.nodes(base + 16 * page, 16).allSatisfy { $0 == nil || $0 == 3 })
      try computer.call(.setMempolicy, [Mode.interleave, computer.mask(0, 2), 65])
      computer.fill(base + 40 * page, 16)
      let nodes = computer.nodes(base + 40 * page, 16)
      #expect(nodes.count { $0 == 0 } == 8 && nodes.count { $0 == 2 } == 8)
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("set_mempolicy03, 04: pages of files and shared memory") func files() throws {
    try Files().runEverywhere()
  }

  private struct Full: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes(4, bytes: 16 << 20)
      computer.kernel.nodeMap[2, 0] = 15
      _ = try computer.map(4096, at: numaData, flags: 0x32)
      let free = { (0..<4).map { computer.owner.platform.frames.freeFrames(node: $0) } }
      try computer.call(.setMempolicy, [Mode.preferred, computer.mask(2), 65])
      var number: UInt64 = 0
      while free()[2] > 0 {
        computer.store(numaData + number * page, 1)
        number += 1
      }
      computer.store(numaData + number * page, 1)
      #expect(computer.node(numaData + number * page) == 0, "the nearest node stands in")
      try computer.call(.setMempolicy, [Mode.preferredMany, computer.mask(2, 3), 65])
      computer.store(numaData + (number + 1) * page, 1)
      #expect(computer.node(numaData + (number + 1) * page) == 3)
      try computer.call(.setMempolicy, [Mode.bind, computer.mask(2), 65])
      #expect(computer.store(numaData + (number + 2) * page, 1) == .outOfMemory, "and for bound memory none")
      #expect(free()[0] > 0)
      computer.expectSound()
      computer.finish()
    }
  }

  @Test func fullNodes() throws { try Full().runEverywhere() }

  private struct Tables: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let kernel = computer.kernel
      let before = kernel.tableBytesByNode(computer.process.space)
      #expect(before[1...].allSatisfy { $0 == 0 })
      #expect(before[0] == computer.process.space.database.footprint.total)
      try computer.call(.setMempolicy, [Mode.bind, computer.mask(2), 65])
      // Far apart, so that every driver needs table memory for it.
      _ = try computer.map(1200 << 4, at: numaData, flags: 0x32)
      for number in 0..<UInt64(1200) { computer.store(numaData + number << 16, 1) }
      let after = kernel.tableBytesByNode(computer.process.space)
      #expect(after[2] > 0 && after[1] == 0 && after[3] == 0, "\(service): \(after)")
      let child = try kernel.fork(computer.process, child: 2)
      let tables = kernel.tableBytesByNode(child.space)
      #expect(tables[2] == tables.reduce(0, +), "a child's tables follow its parent's policy")
      try computer.call(.setMempolicy, [Mode.local, 0, 0], in: child)
      try computer.run(on: 3, child)
      _ = try computer.map(1200 << 4, at: 2 * numaData, flags: 0x32, in: child)
      for number in 0..<UInt64(1200) { computer.store(2 * numaData + number << 16, 1, in: child) }
      #expect(kernel.tableBytesByNode(child.space)[3] > 0, "\(service): the CPU's node")
      #expect(kernel.tableBytesByNode.reduce(0, +) == kernel.tableBytes)
      computer.expectSound()
      computer.finish()
    }
  }

  @Test func tables() throws { try Tables().runEverywhere() }

  private struct Swapped: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      try computer.kernel.swapOn(pages: 64)
      _ = try computer.map(16, at: numaData, flags: 0x32)
      computer.fill(numaData, 16)
      try computer.call(.madvise, [numaData, 16 * page, 21])
      #expect(computer.node(numaData) == nil)
      try computer.call(.mbind, [numaData, 16 * page, Mode.bind, computer.mask(3), 65, 0])
      computer.expectFilled(numaData, 16)
      #expect(computer.nodes(numaData, 16) == Array(repeating: 3, count: 16))
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("Pages come back from swap to where they belong") func swapped() throws {
    try Swapped().runEverywhere()
  }

  private struct Huge: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes(2, bytes: 64 << 20, hugePages: .always)
      _ = try computer.map(2048, at: numaData, flags: 0x32)
      try computer.call(.mbind, [numaData, 1024 * page, Mode.bind, computer.mask(1), 65, 0])
      try computer.call(
        .mbind, [numaData + 1024 * page, 1024 * page, Mode.interleave, computer.mask(0, 1), 65, 0])
      for number in 0..<UInt64(4) { computer.store(numaData + number * 512 * page, 1) }
      #expect(computer.node(numaData) == 1 && computer.node(numaData + 600 * page) == 1)
      let spread = [computer.node(numaData + 1024 * page), computer.node(numaData + 1536 * page)]
      #expect(Set(spread) == [0, 1])
      #expect(computer.kernel.hugePageCounts.mapped == 4)
      computer.expectSound()
      computer.finish()
    }
  }

  @Test("numa01: huge pages follow policies") func huge() throws { try Huge().runEverywhere() }
}

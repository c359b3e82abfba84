// SPDX-License-Identifier: MIT
import EMTCore
import SimMemory
import Testing
import VMM

/// Pools of huge pages, merged pages and other memory where there are several nodes.
struct NodePoolTests {
  private struct Pools: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let kernel = computer.kernel
      func free() throws -> [UInt64] { try (0..<4).map { try kernel.hugePagePool(.twoMiB, node: $0).free } }
      // Nodes take turns, or are named.
      #expect(try kernel.setHugePages(.twoMiB, 4) == 4)
      #expect(try free() == [1, 1, 1, 1])
      #expect(try kernel.setHugePages(.twoMiB, 3, node: 2) == 3)
      #expect(try free() == [1, 1, 3, 1])
      #expect(try kernel.hugePagePool(.twoMiB).total == 6)
      #expect(computer.refusal { try kernel.setHugePages(.twoMiB, 1, node: 4) } == .einval)
      // mbind decides, and when it forbids the rest a promise is not enough.
      let base = try computer.call(.mmap, [0, 4 * huge, 3, 0x40022, .max, 0])
      try computer.call(.mbind, [base, 4 * huge, Mode.bind, computer.mask(2), 65, 0])
      for number in 0..<UInt64(3) {
        #expect(computer.store(base + number * huge, UInt8(number)) == .byte(UInt8(number)))
        #expect(computer.node(base + number * huge) == 2)
      }
      #expect(try free() == [1, 1, 0, 1])
      #expect(computer.store(base + 3 * huge, 3) == .refused(.noHugePage))
      #expect(try kernel.hugePagePool(.twoMiB).reserved == 1, "what was promised stays promised")
      try computer.call(.mbind, [base + 3 * huge, huge, Mode.preferred, computer.mask(2), 65, 0])
      #expect(computer.store(base + 3 * huge, 3) == .byte(3))
      #expect(computer.node(base + 3 * huge) != 2)
      for number in 0..<UInt64(4) { #expect(computer.load(base + number * huge) == .byte(UInt8(number))) }
      computer.expectSound()
      try computer.call(.munmap, [base, 4 * huge])
      #expect(try free() == [1, 1, 3, 1])
      // The task's policy: interleaving, and the local node of a thread.
      try computer.call(.setMempolicy, [Mode.interleave, computer.mask(0, 1, 2, 3), 65])
      let shared = try computer.call(.mmap, [0, 4 * huge, 3, 0x40021, .max, 0])
      for number in 0..<UInt64(4) { computer.store(shared + number * huge, 1) }
      #expect(computer.node(shared) != computer.node(shared + huge))
      #expect(try free() == [0, 0, 2, 0])
      try computer.call(.munmap, [shared, 4 * huge])
      try computer.call(.setMempolicy, [Mode.local, 0, 0])
      kernel.run(computer.process, on: 3)
      let local = try computer.call(.mmap, [0, huge, 3, 0x40022, .max, 0])
      computer.store(local, 9)
      #expect(computer.node(local) == 3)
      // What a cpuset does not admit is not used (cpuset02).
      try computer.call(.munmap, [local, huge])
      try kernel.allow(.only(1), for: computer.process.space)
      let allowed = try computer.call(.mmap, [0, huge, 3, 0x40022, .max, 0])
      computer.store(allowed, 9)
      #expect(computer.node(allowed) == 1)
      try computer.call(.munmap, [allowed, huge])
      // Surplus pages come from the policy's node, and go there again.
      try kernel.allow(NodeSet(15), for: computer.process.space)
      try kernel.setHugePages(.twoMiB, 0)
      #expect(try free() == [0, 0, 0, 0])
      try kernel.setHugePageOvercommit(.twoMiB, 2)
      try computer.call(.setMempolicy, [Mode.bind, computer.mask(1), 65])
      let surplus = try computer.call(.mmap, [0, huge, 3, 0x44022, .max, 0])
      computer.store(surplus, 4)
      #expect(computer.node(surplus) == 1)
      #expect(try kernel.hugePagePool(.twoMiB, node: 1) == (1, 0))
      computer.expectSound()
      kernel.act(on: 0)
      computer.finish()
    }
  }

  @Test("Pooled pages come from the nodes that policies and cpusets name") func pools() throws {
    try Pools().runEverywhere()
  }

  /// Four pages of equal contents on each node, in one process.
  private static func fillNodes<Service: TranslationService>(_ computer: Computer<Service>) throws {
    _ = try computer.map(16, at: numaData, flags: 0x32)
    for node in 0..<UInt64(4) {
      let start = numaData + node * 4 * page
      try computer.call(.mbind, [start, 4 * page, Mode.bind, computer.mask(Int(node)), 65, 0])
      for number in 0..<UInt64(4) { computer.store(start + number * page + 9, 77) }
    }
    try computer.call(.madvise, [numaData, 16 * page, 12])
  }

  private static func expectContents<Service: TranslationService>(_ computer: Computer<Service>) {
    for number in 0..<UInt64(16) {
      #expect(computer.load(numaData + number * page + 9) == .byte(77))
      #expect(computer.load(numaData + number * page) == .byte(0))
    }
  }

  private struct AcrossNodes: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let kernel = computer.kernel
      try fillNodes(computer)
      try kernel.setMergeMode(.merge)
      for _ in 0..<3 { kernel.mergeSamePages(pages: .max) }
      #expect(kernel.samePages.counts.shared == 1)
      #expect(kernel.samePages.counts.sharing == 15)
      #expect(computer.refusal { try kernel.setMergesAcrossNodes(false) } == .ebusy)
      try kernel.setMergeMode(.unmerge)
      expectContents(computer)
      // Taken apart, every page is where its policy says; merged again, there is one for each node.
      try kernel.setMergesAcrossNodes(false)
      try kernel.setMergeMode(.merge)
      for _ in 0..<3 { kernel.mergeSamePages(pages: .max) }
      #expect(kernel.samePages.counts.shared == 4)
      #expect(kernel.samePages.counts.sharing == 12)
      for node in 0..<4 {
        #expect(computer.nodes(numaData + UInt64(node) * 4 * page, 4) == Array(repeating: node, count: 4))
      }
      expectContents(computer)
      // A merged page that moves to a node with an equal one stays apart, and new pages find one of them.
      try computer.call(
        .migratePages, [1, 65, computer.mask(0), computer.mask(1, at: 64)])
      #expect(computer.nodes(numaData, 4) == [1, 1, 1, 1])
      for _ in 0..<3 { kernel.mergeSamePages(pages: .max) }
      #expect(kernel.samePages.counts.shared == 4)
      expectContents(computer)
      #expect(computer.store(numaData + 9, 5) == .byte(5))
      #expect(computer.load(numaData + page + 9) == .byte(77))
      computer.expectSound()
      try kernel.setMergeMode(.unmerge)
      try kernel.setMergesAcrossNodes(true)
      computer.finish()
    }
  }

  @Test("ksm06: without merge_across_nodes there is one merged page for each node") func acrossNodes() throws
  {
    try AcrossNodes().runEverywhere()
  }

  private struct Migrations: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let kernel = computer.kernel
      try kernel.swapOn(pages: 64)
      let child = try kernel.fork(computer.process, child: 2)
      for process in [computer.process, child] {
        _ = try computer.map(20, at: numaData, flags: 0x32, in: process)
        for number in 0..<UInt64(20) {
          computer.store(numaData + number * page + 3, UInt8(number / 2 + 1), in: process)
        }
        try computer.call(.madvise, [numaData, 20 * page, 12], in: process)
      }
      try kernel.setMergeMode(.merge)
      for _ in 0..<3 { kernel.mergeSamePages(pages: .max) }
      #expect(kernel.samePages.counts.shared == 10 && kernel.samePages.counts.sharing == 30)
      for round in 0..<30 {
        let (from, to) = (round % 2, (round + 1) % 2)
        let failed = try computer.call(
          .migratePages, [UInt64(1 + round / 2 % 2), 65, computer.mask(from), computer.mask(to, at: 64)])
        #expect(failed == 0)
        #expect(computer.node(numaData) == to, "merged pages move for all that share them")
        #expect(computer.node(numaData, in: child) == to)
        if round == 10 { kernel.mergeSamePages(pages: .max) }
      }
      #expect(kernel.samePages.counts.shared == 10 && kernel.samePages.counts.sharing == 30)
      for process in [computer.process, child] {
        for number in 0..<UInt64(20) {
          #expect(computer.load(numaData + number * page + 3, in: process) == .byte(UInt8(number / 2 + 1)))
        }
      }
      // They can still be written, swapped and dropped.
      #expect(computer.store(numaData + 3, 99) == .byte(99))
      #expect(computer.load(numaData + page + 3) == .byte(1))
      #expect(computer.load(numaData + 3, in: child) == .byte(1))
      _ = kernel.reclaim(node: 0, count: .max)
      _ = kernel.reclaim(node: 1, count: .max)
      #expect(computer.load(numaData + 5 * page + 3, in: child) == .byte(3))
      computer.expectSound()
      kernel.exit(2)
      for _ in 0..<2 { kernel.mergeSamePages(pages: .max) }
      for number in 1..<UInt64(20) {
        #expect(computer.load(numaData + number * page + 3) == .byte(UInt8(number / 2 + 1)))
      }
      computer.finish()
    }
  }

  @Test("migrate_pages03: merged pages move back and forth, with their bytes") func migrations() throws {
    try Migrations().runEverywhere()
  }

  private struct Spread: Scenario {
    func run<Service: TranslationService>(_ service: Service.Type) throws {
      let computer = try Computer<Service>.ofNodes()
      let kernel = computer.kernel
      kernel.follow(
        computer.process, FileCall(.openat, [0, 0, 0x242], strings: [1: "/data"], result: 7))
      kernel.follow(
        computer.process, FileCall(.pwrite, [7, 0, 64 * page, 0], strings: [:], result: 64 * page))
      func spread(_ offset: UInt64) throws -> [Int] {
        let base = try computer.call(.mmap, [0, 16 * page, 1, 1, 7, offset])
        for number in 0..<UInt64(16) { #expect(computer.load(base + number * page) == .byte(0)) }
        return (0..<4).map { node in computer.nodes(base, 16).count { $0 == node } }
      }
      #expect(try spread(0) == [16, 0, 0, 0])
      kernel.spreadFilePages(true, of: computer.process.space)
      #expect(try spread(16 * page) == [4, 4, 4, 4])
      // Only over what the cpuset admits, and anonymous memory is not spread.
      try kernel.allow(NodeSet(0b1010), for: computer.process.space)
      #expect(try spread(32 * page) == [0, 8, 0, 8])
      let data = try computer.map(8)
      for number in 0..<UInt64(8) { computer.store(data + number * page, 1) }
      #expect(Set(computer.nodes(data, 8)).count == 1)
      kernel.spreadFilePages(false, of: computer.process.space)
      #expect(try spread(48 * page).count { $0 > 0 } == 1)
      computer.finish()
    }
  }

  @Test("cpuset_memory_spread: pages of files are spread over the nodes of the cpuset") func spread() throws {
    try Spread().runEverywhere()
  }
}

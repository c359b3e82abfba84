// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let cpuset = ScenarioGroup("cpuset", isComplete: true, cpusetCases, pooledNodes)
  static let vma = ScenarioGroup("vma", isComplete: true, vmaCases)
  static let thp = ScenarioGroup("thp", isComplete: true, thpCases)

  private static let fourNodes = Needs(nodes: 4, cpus: 4)
  private static let basePages = Needs(nodes: 4, cpus: 4, hugePages: .never)
  private static let base: UInt64 = 0xC0_0000_0000

  /// Nodes that a process may use.
  private static let cpusetCases: [ScenarioCase] = [
    ScenarioCase(
      "cpuset01", "While the allowed nodes change, faults and forks go on, and every byte stays.",
      needs: fourNodes
    ) { p in
      let at = try p.map(256)
      for round in 0..<10 as Range<UInt64> {
        try p.allow([Int(round % 4), Int((round + 1) % 4)], migrates: round & 2 == 0)
        p.fill(at + round * 16 * page, pages: 16, seed: round)
        try p.inChild { child in
          child.expectFilled(at + round * 16 * page, pages: 16, seed: round)
          child.fill(at, pages: 4, seed: 200)
        }
        for old in 0...round { p.expectFilled(at + old * 16 * page, pages: 2, seed: old) }
      }
      p.expect(p.administration.processes, [1], "processes")
    },
    ScenarioCase(
      "cpuset_memory",
      "Memory of every kind comes from allowed nodes, and moves with them where that is wanted.",
      needs: basePages
    ) { p in
      try p.allow([2])
      let file = try p.file(size: 4 * page)
      let segment = try p.segment(bytes: 4 * page)
      let places = [
        try p.map(4), try p.map(4, .shared, file: file), try p.map(4, .shared), try p.attach(segment),
        try p.map(4, flags: .locked),
      ]
      for at in places {
        p.fill(at, pages: 4)
        p.expectNode(2, at, pages: 4)
      }
      try p.allow([1])
      let late = try p.map(4)
      p.fill(late, pages: 4)
      p.expectNode(1, late, pages: 4)
      for at in places { p.expectNode(2, at, pages: 4) }
      try p.allow([3], migrates: true)
      p.expectNode(3, late, pages: 4)
      p.expectFilled(late, pages: 4)
      for at in places { p.expectFilled(at, pages: 4) }
      try p.setPolicy(Policy.bind, [3])
      try p.allow([0, 1])
      p.expectPolicy(Policy.bind, [0])
      let bound = try p.map(4)
      p.fill(bound, pages: 4)
      p.expectNode(0, bound, pages: 4)
    },
    ScenarioCase(
      "cpuset_memory_spread",
      "Pages of files are spread over the allowed nodes when that is wanted, others are not.",
      needs: basePages
    ) { p in
      try p.allow([0, 1, 3])
      for isOn in [true, false] {
        p.host.spreadFilePages(p.pid, isOn)
        p.note("memory_spread_page = \(isOn)")
        let file = try p.file(size: 48 * page)
        let at = try p.map(48, .shared, file: file)
        p.fill(at, pages: 48)
        let nodes = p.nodes(at, pages: 48)
        p.expect(
          (0..<4).map { node in nodes.count { $0 == node } }, isOn ? [16, 16, 0, 16] : [48, 0, 0, 0],
          "file pages on each node")
        let own = try p.map(16)
        p.fill(own, pages: 16)
        p.expectNode(0, own, pages: 16)
      }
    },
    ScenarioCase(
      "cpuset_syscall", "Policies name only allowed nodes, and follow when those change.", needs: basePages
    ) { p in
      let at = try p.map(8)
      try p.allow([1, 2])
      p.expectPolicy(Policy.standard, [1, 2], flags: 4)
      p.expectErrno(.einval, when: "for nodes that are not allowed") { try p.setPolicy(Policy.bind, [0, 3]) }
      p.expectErrno(.einval, when: "for nodes that are not allowed") {
        try p.bind(at, pages: 8, Policy.bind, [3])
      }
      try p.setPolicy(Policy.bind, [0, 1])
      p.expectPolicy(Policy.bind, [1])
      try p.bind(at, pages: 4, Policy.interleave, [1, 2])
      try p.bind(at + 4 * page, pages: 4, Policy.bind | Policy.relativeNodes, [1])
      try p.allow([2, 3])
      p.expectPolicy(Policy.bind, [2])
      p.expectPolicy(Policy.interleave, [2, 3], at: at)
      p.fill(at, pages: 8)
      p.expectNode(3, at + 4 * page, pages: 4)
      p.expect(Set(p.nodes(at, pages: 4)), [2, 3], "nodes of interleaved pages")
      p.expectErrno(.einval, when: "for a set without nodes of the machine") { try p.allow([9]) }
      p.privileges = []
      p.expectErrno(.eperm, .einval, when: "to nodes that are not allowed") {
        try p.migratePages(from: [2], to: [0])
      }
      try p.inChild { $0.expectPolicy(Policy.standard, [2, 3], flags: 4) }
    },
    ScenarioCase(
      "cpuset.huge", "Transparent huge pages come from allowed nodes, and move with them.",
      needs: Needs(nodes: 2, cpus: 2, hugePages: .always)
    ) { p in
      try p.allow([1])
      let at = try p.map(512, at: base)
      p.fill(at, pages: 512)
      p.expect(p.isHuge(at), "the page is huge")
      p.expectNode(1, at + 100 * page)
      try p.allow([0], migrates: true)
      p.expectNode(0, at + 100 * page)
      p.expectFilled(at, pages: 512)
    },
  ]

  private static let vmaCases: [ScenarioCase] = [
    ScenarioCase(
      "vma02", "When the middle of an area loses its policy the three parts are one again.", needs: fourNodes
    ) { p in
      let at = try p.map(3)
      p.fill(at, pages: 3)
      try p.bind(at + page, pages: 1, Policy.bind, [1])
      p.expectLayout(at, [.area(1), .area(1), .area(1)])
      try p.bind(at, pages: 3, Policy.standard)
      p.expectLayout(at, [.area(3)])
      p.expectFilled(at, pages: 3)
    },
    ScenarioCase("vma03", "A mapping does not grow to where its place in the file would wrap.") { p in
      let file = try p.file(size: page)
      p.expectErrno(.eoverflow, when: "where it would wrap at once") {
        try p.map(2, .shared, file: file, offset: 0 &- page)
      }
      p.expectErrno(.eoverflow, when: "beyond what a file can have") {
        try p.map(1, .shared, file: file, offset: 1 << 63)
      }
      // Only a device has places so far out.
      let device = try p.open("/dev/card")
      let at = try p.map(1, .shared, file: device, at: base, offset: 0 &- 2 * page)
      p.expectErrno(.einval) { try p.remap(at, pages: 1, newPages: 3) }
      p.expectErrno(.einval) { try p.remap(at, pages: 1, newPages: 3, mayMove: false) }
      p.expectLayout(at, [.area(1, shared: true, offset: 0 &- 2 * page), .hole(2)])
      let last = try p.map(1, .shared, file: file, offset: 1 << 63 - 2 * page)
      p.expectSignal(.beyondEnd, .load, last)
    },
    ScenarioCase("vma.order", "Whatever is cut and joined, areas are in order and their pages are right.") {
      p in
      let at = try p.map(64, at: base)
      p.fill(at, pages: 64)
      var random = ScenarioRandom(3)
      for _ in 0..<60 {
        let first = random.below(60)
        let rights: Rights = random.below(2) == 0 ? .read : [.read, .write]
        try p.protect(at + first * page, pages: 1 + random.below(4), rights)
      }
      p.expectFilled(at, pages: 64)
      try p.protect(at, pages: 64, [.read, .write])
      p.expectLayout(at, [.area(64)])
      p.fill(at, pages: 64, seed: 77)
      p.expectFilled(at, pages: 64, seed: 77)
    },
  ]

  private static let thpCases: [ScenarioCase] = [
    ScenarioCase(
      "thp02", "However source and target are aligned, a move of most of a huge range keeps every byte."
    ) { p in
      for (source, target) in [(0, 0), (1, 0), (0, 1), (1, 1)] as [(UInt64, UInt64)] {
        let at = try p.map(1024, at: base)
        let marked = Array(stride(from: source, to: 1023 + source, by: 7)) + [1022 + source]
        for number in marked { p.store(at + number * page + number, UInt8(number % 250) + 1) }
        let from = at + source * page
        let moved = try p.remap(from, pages: 1023, newPages: 1023, to: base + 8 * huge + target * page)
        for number in marked {
          p.expectLoad(moved + (number - source) * page + number, UInt8(number % 250) + 1)
        }
        p.expectSignal(.unmapped, .load, from + 500 * page)
        p.expectLayout(moved - page, [.hole(1), .area(1023), .hole(1)])
        try p.unmap(moved, pages: 1023)
        try p.unmap(at, pages: 1024)
      }
    },
    ScenarioCase("thp03", "A huge range of odd length without rights is cut, marked and forked without harm.")
    { p in
      let at = try p.map(2048, bytes: 4 * huge - 1, at: base)
      for number in stride(from: 0, to: 2048, by: 64) as StrideTo<UInt64> { p.store(at + number * page, 9) }
      try p.protect(at, bytes: 4 * huge - 1, [])
      try p.advise(at + 1023 * page, bytes: page + 1, .mergeable)
      p.expectLayout(at, [.area(1023, []), .area(2, []), .area(1023, [])])
      try p.inChild { child in
        child.expectSignal(.forbidden, .load, at)
        child.expectSignal(.forbidden, .load, at + 1024 * page)
        try child.protect(at, bytes: 4 * huge - 1, .read)
        for number in stride(from: 0, to: 2048, by: 64) as StrideTo<UInt64> {
          child.expectLoad(at + number * page, 9)
        }
      }
      try p.protect(at, pages: 2048, [.read, .write])
      for number in stride(from: 0, to: 2048, by: 64) as StrideTo<UInt64> {
        p.expectLoad(at + number * page, 9)
      }
    },
    ScenarioCase(
      "thp.collapse", "MADV_COLLAPSE makes a huge page of what is there, with every byte.",
      needs: Needs(hugePages: .never)
    ) { p in
      let at = try p.map(512, at: base)
      for number in stride(from: 3, to: 512, by: 7) as StrideTo<UInt64> { p.store(at + number * page, 5) }
      let child = try p.fork()
      try p.advise(at, pages: 512, .collapse)
      p.expect(p.isHuge(at) && !child.isHuge(at), "the caller's page is huge, and only that")
      for number in 0..<512 as Range<UInt64> {
        p.expectLoad(at + number * page, number % 7 == 3 ? 5 : 0)
      }
      p.store(at + 3 * page, 6)
      child.expectLoad(at + 3 * page, 5)
      child.exit()
    },
    ScenarioCase(
      "thp.parts", "Dropping, unmapping and copying parts of a huge page leaves its other parts.",
      needs: Needs(hugePages: .always)
    ) { p in
      let at = try p.map(512, at: base)
      p.fill(at, pages: 512)
      p.expect(p.isHuge(at), "the page is huge")
      let child = try p.fork()
      try p.advise(at + 10 * page, pages: 5, .dontNeed)
      try p.unmap(at + 100 * page, pages: 2)
      p.store(at + 200 * page, 77)
      p.expectZero(at + 10 * page, bytes: 5 * page)
      p.expectSignal(.unmapped, .load, at + 101 * page)
      p.expectFilled(at, pages: 10)
      p.expectFilled(at + 201 * page, pages: 300, from: 201)
      child.expectFilled(at, pages: 512)
      child.exit()
    },
  ]
}

// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let numaPolicy = ScenarioGroup(
    "numa-policy", isComplete: true, policyCalls, policyPlaces, pageMoves, pageMigrations, mergedMigrations)

  private static let fourNodes = Needs(nodes: 4, cpus: 4)
  /// Where single pages come from can be counted only without huge pages.
  private static let basePages = Needs(nodes: 4, cpus: 4, hugePages: .never)

  /// What the calls accept and tell.
  private static let policyCalls: [ScenarioCase] = [
    ScenarioCase(
      "mbind01", "What mbind accepts can be asked for; what it refuses changes nothing.", needs: fourNodes
    ) { p in
      let at = try p.map(4)
      let accepted: [(mode: UInt64, nodes: [Int], shown: UInt64)] = [
        (Policy.standard, [], Policy.standard), (Policy.bind, [1], Policy.bind),
        (Policy.interleave, [1, 2], Policy.interleave), (Policy.preferred, [3], Policy.preferred),
        (Policy.preferred, [], Policy.local), (Policy.local, [], Policy.local),
        (Policy.preferredMany, [0, 3], Policy.preferredMany), (Policy.weighted, [1, 2], Policy.weighted),
        (Policy.bind | Policy.staticNodes, [2], Policy.bind | Policy.staticNodes),
      ]
      for (mode, nodes, shown) in accepted {
        try p.bind(at, pages: 4, mode, nodes)
        p.expectPolicy(shown, nodes, at: at)
      }
      let refused: [(mode: UInt64, nodes: [Int])] = [
        (Policy.standard, [1]), (Policy.bind, []), (Policy.interleave, []), (Policy.local, [1]),
        (Policy.bind, [40]), (7, [1]), (Policy.bind | Policy.staticNodes | Policy.relativeNodes, [1]),
      ]
      for (mode, nodes) in refused {
        p.expectErrno(.einval, when: "for mode \(mode), nodes \(nodes)") {
          try p.bind(at, pages: 4, mode, nodes)
        }
      }
      p.expectErrno(.einval, when: "for unknown flags") {
        try p.bind(at, pages: 4, Policy.bind, [1], flags: 8)
      }
      p.expectErrno(.einval, when: "inside a page") { try p.bind(at + 1, pages: 1, Policy.bind, [1]) }
      p.expectErrno(.efault, when: "with a hole") { try p.bind(at, pages: 5, Policy.bind, [1]) }
      p.expectErrno(.efault, when: "for a mask that is not mapped") {
        try p.call(.mbind, ["address": at, "bytes": page, "mode": 2, "mask": 8, "bits": 65, "flags": 0])
      }
      p.expectPolicy(Policy.bind | Policy.staticNodes, [2], at: at)
    },
    ScenarioCase(
      "get_mempolicy01", "The task's and an area's policy are told as they were set.", needs: fourNodes
    ) { p in
      let at = try p.map(4)
      for (mode, nodes) in [
        (Policy.standard, []), (Policy.bind, [1]), (Policy.interleave, [1, 2]), (Policy.preferred, [2]),
        (Policy.local, []),
      ] as [(UInt64, [Int])] {
        try p.setPolicy(mode, nodes)
        p.expectPolicy(mode, nodes)
        p.expectPolicy(Policy.standard, at: at)
        try p.setPolicy(Policy.standard)
        try p.bind(at, pages: 4, mode, nodes)
        p.expectPolicy(mode, nodes, at: at)
        p.expectPolicy(Policy.standard)
        try p.bind(at, pages: 4, Policy.standard)
      }
      p.expectPolicy(Policy.standard, [0, 1, 2, 3], flags: 4)
    },
    ScenarioCase("get_mempolicy02", "Wrong flags and addresses are refused.", needs: fourNodes) { p in
      func ask(_ mode: UInt64, _ mask: UInt64, _ bits: UInt64, _ address: UInt64, _ flags: UInt64) throws {
        try p.call(
          .getMempolicy, ["mode": mode, "mask": mask, "bits": bits, "address": address, "flags": flags])
      }
      let room = p.scratch()
      p.expectErrno(.efault, when: "for a page at address 0") { try ask(0, 0, 0, 0, 2) }
      p.expectErrno(.einval, when: "for all flags") { try ask(0, 0, 0, 0, .max) }
      p.expectErrno(.einval, when: "for an address without a flag") { try ask(0, 0, 0, room, 0) }
      p.expectErrno(.einval, when: "for flags that exclude each other") { try ask(0, 0, 0, 0, 5) }
      p.expectErrno(.einval, when: "for the next node when nothing interleaves") { try ask(0, 0, 0, 0, 1) }
      p.expectErrno(.einval, when: "for a mask that is too small") { try ask(0, room, 3, 0, 0) }
      p.expectErrno(.efault, when: "for an answer that is not mapped") { try ask(8, 0, 0, 0, 0) }
    },
    ScenarioCase(
      "numa-policy.join", "Areas differ by policy: what is set for a part cuts, what is alike joins.",
      needs: fourNodes
    ) { p in
      let at = try p.map(8)
      try p.bind(at + 2 * page, pages: 4, Policy.bind, [1])
      p.expectLayout(at, [.area(2), .area(4), .area(2)])
      try p.bind(at + 3 * page, pages: 1, Policy.bind, [2])
      p.expectLayout(at, [.area(2), .area(1), .area(1), .area(2), .area(2)])
      try p.bind(at + 3 * page, pages: 1, Policy.bind, [1])
      p.expectLayout(at, [.area(2), .area(4), .area(2)])
      try p.bind(at, pages: 8, Policy.standard)
      p.expectLayout(at, [.area(8)])
    },
  ]

  /// Where pages come from.
  private static let policyPlaces: [ScenarioCase] = [
    ScenarioCase(
      "mbind04", "Pages of parent and child come from the node that the area is bound to.", needs: fourNodes
    ) { p in
      for mode in [Policy.bind, Policy.preferred] {
        for number in 0..<4 {
          let at = try p.map(32)
          try p.bind(at, pages: 32, mode, [number])
          p.fill(at, pages: 16)
          p.expectNode(number, at, pages: 16)
          try p.inChild { child in
            child.fill(at, pages: 32, seed: 50)
            child.expectNode(number, at, pages: 32)
            child.expectPolicy(mode, [number], at: at)
          }
          p.expectFilled(at, pages: 16)
          try p.unmap(at, pages: 32)
        }
      }
    },
    ScenarioCase("set_mempolicy01", "Pages of parent and child come from the task's node.", needs: fourNodes)
    { p in
      for (mode, number) in [(Policy.bind, 2), (Policy.preferred, 3)] {
        try p.setPolicy(mode, [number])
        let at = try p.map(32)
        p.fill(at, pages: 16)
        p.expectNode(number, at, pages: 16)
        try p.inChild { child in
          child.fill(at, pages: 32)
          child.expectNode(number, at, pages: 32)
        }
        p.expectFilled(at, pages: 16)
      }
    },
    ScenarioCase(
      "set_mempolicy02", "Interleaved pages are spread exactly evenly, or as weights say.", needs: basePages
    ) { p in
      try p.setPolicy(Policy.interleave, [0, 1, 3])
      let at = try p.map(48)
      p.fill(at, pages: 48)
      p.expectSpread(at, pages: 48, [16, 16, 0, 16])
      p.administration.interleaveWeights = [3, 1, 1, 2]
      let other = try p.map(48)
      try p.bind(other, pages: 48, Policy.weighted, [0, 1, 3])
      p.fill(other, pages: 48)
      p.expectSpread(other, pages: 48, [24, 8, 0, 16])
    },
    ScenarioCase(
      "set_mempolicy03", "Pages of files come from the node that the task is bound to.", needs: fourNodes
    ) { p in
      for (mode, number) in [(Policy.bind, 1), (Policy.preferred, 3)] {
        for file in [try p.file(size: 16 * page), try p.memfd(size: 16 * page)] {
          try p.setPolicy(mode, [number])
          let at = try p.map(16, .shared, file: file)
          p.fill(at, pages: 16)
          p.expectNode(number, at, pages: 16)
          p.expectFilled(at, pages: 16)
        }
      }
    },
    ScenarioCase("set_mempolicy04", "Interleaved pages of files are spread evenly.", needs: fourNodes) { p in
      for file in [try p.file(size: 64 * page), try p.memfd(size: 64 * page)] {
        try p.setPolicy(Policy.interleave, [0, 1, 2, 3])
        let at = try p.map(64, .shared, file: file)
        p.fill(at, pages: 64)
        p.expectSpread(at, pages: 64, [16, 16, 16, 16])
        try p.setPolicy(Policy.standard)
      }
    },
    ScenarioCase(
      "numa01.sh", "Bound, preferred, interleaved and local pages, huge ones too, are where they belong.",
      needs: fourNodes
    ) { p in
      let size: UInt64 = 1024
      for (mode, nodes, cpu, expected) in [
        (Policy.bind, [1], 0, 1), (Policy.preferred, [3], 0, 3), (Policy.standard, [], 2, 2),
        (Policy.local, [], 1, 1),
      ] as [(UInt64, [Int], Int, Int)] {
        p.run(on: cpu)
        try p.setPolicy(mode, nodes)
        let at = try p.map(size, at: 0x90_0000_0000)
        for number in stride(from: 0, to: size, by: 64) { p.store(at + number * page, UInt8(number >> 4)) }
        for number in stride(from: 0, to: size, by: 64) {
          p.expectNode(expected, at + number * page)
          p.expectLoad(at + number * page, UInt8(number >> 4))
        }
        try p.unmap(at, pages: size)
      }
      try p.setPolicy(Policy.interleave, [0, 1])
      let at = try p.map(size, at: 0x90_0000_0000)
      for number in stride(from: 0, to: size, by: 32) { p.store(at + (number + number / 512) * page, 1) }
      let found = Set(stride(from: 0, to: size, by: 32).map { p.node(at + ($0 + $0 / 512) * page) ?? -1 })
      p.expect(found.sorted(), [0, 1], "the nodes of interleaved pages")
    },
    ScenarioCase(
      "numa-policy.full",
      "A full node is stood in for by the nearest, but not for memory that is bound to it.",
      needs: Needs(memory: 16 << 20, nodes: 4, cpus: 4, hugePages: .never)
    ) { p in
      p.administration.setDistance(2, 0, 15)
      let at = try p.map(4096)
      try p.setPolicy(Policy.preferred, [2])
      var next = at
      while p.administration.freeFrames(node: 2) > 0, next < at + 2048 * page {
        p.store(next, 1)
        next += page
      }
      p.store(next, 2)
      p.expectNode(0, next)
      try p.setPolicy(Policy.preferredMany, [2, 3])
      p.store(next + page, 3)
      p.expectNode(3, next + page)
      try p.setPolicy(Policy.bind, [2])
      p.expect(p.access(.store, next + 2 * page, 4), .outOfMemory, "a store to bound memory")
      p.expect(p.administration.freeFrames(node: 0) > 0, "other nodes have free frames")
    },
    ScenarioCase(
      "numa-policy.object", "The policy of shared memory is the object's, whoever maps it and wherever.",
      needs: fourNodes
    ) { p in
      let file = try p.memfd(size: 32 * page)
      let at = try p.map(32, .shared, file: file)
      try p.bind(at + 16 * page, pages: 16, Policy.bind, [3])
      try p.setPolicy(Policy.bind, [1])
      let shared = try p.fork()
      shared.run(on: 2)
      let twin = try shared.map(20, .shared, file: file, offset: 12 * page)
      shared.fill(twin, pages: 20)
      p.expectFilled(at + 12 * page, pages: 20)
      p.expectNode(1, at + 12 * page, pages: 4)
      p.expectNode(3, at + 16 * page, pages: 16)
      shared.exit()
    },
  ]
}

extension Program {
  /// How many of the pages are on nodes 0, 1, 2 and so on.
  fileprivate func expectSpread(_ address: UInt64, pages: UInt64, _ expected: [Int]) {
    let found = nodes(address, pages: pages)
    expect(expected.indices.map { node in found.count { $0 == node } }, expected, "pages on each node")
  }
}

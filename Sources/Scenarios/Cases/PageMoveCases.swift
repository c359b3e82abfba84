// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  private static let fourNodes = Needs(nodes: 4, cpus: 4)
  private static let basePages = Needs(nodes: 4, cpus: 4, hugePages: .never)

  /// mbind with flags and move_pages.
  static let pageMoves: [ScenarioCase] = [
    ScenarioCase(
      "mbind02", "MPOL_MF_STRICT refuses a policy that pages which are there do not follow.", needs: basePages
    ) { p in
      for mode in [Policy.preferred, Policy.bind, Policy.interleave] {
        let at = try p.map(8)
        p.fill(at, pages: 4)
        p.expectErrno(.eio, when: "for mode \(mode)") {
          try p.bind(at, pages: 8, mode, [2], flags: MoveFlags.strict)
        }
        p.expectNode(0, at, pages: 4)
        p.expectFilled(at, pages: 4)
        try p.bind(at, pages: 8, mode, [0], flags: MoveFlags.strict)
        p.expectPolicy(mode, [0], at: at)
      }
    },
    ScenarioCase(
      "mbind03", "MPOL_MF_MOVE takes the process's own pages along, MOVE_ALL shared ones too.",
      needs: basePages
    ) { p in
      let at = try p.map(8)
      p.fill(at, pages: 8)
      try p.bind(at, pages: 8, Policy.bind, [2], flags: MoveFlags.move)
      p.expectNode(2, at, pages: 8)
      p.expectFilled(at, pages: 8)
      let child = try p.fork()
      try p.bind(at, pages: 4, Policy.bind, [3], flags: MoveFlags.move)
      p.expectNode(2, at, pages: 4)
      try p.bind(at, pages: 4, Policy.bind, [3], flags: MoveFlags.moveAll)
      p.expectNode(3, at, pages: 4)
      child.expectNode(3, at, pages: 4)
      child.expectFilled(at, pages: 8)
      p.privileges = []
      p.expectErrno(.eperm, when: "without the right to it") {
        try p.bind(at, pages: 8, Policy.bind, [1], flags: MoveFlags.moveAll)
      }
      child.exit()
    },
    ScenarioCase("move_pages01", "Without nodes the call tells where pages are.", needs: basePages) { p in
      let at = try p.map(8)
      for number in 0..<8 as Range<UInt64> {
        p.run(on: Int(number % 4))
        p.store(at + number * page, 1)
      }
      let places = (0..<8).map { at + $0 * page }
      p.expect(try p.movePages(places), [0, 1, 2, 3, 0, 1, 2, 3], "statuses")
    },
    ScenarioCase(
      "move_pages02", "Pages move to the nodes that were asked for, with their bytes.", needs: basePages
    ) { p in
      let at = try p.map(8)
      p.fill(at, pages: 8)
      let places = (0..<8).map { at + $0 * page }
      let wanted = [1, 2, 3, 0, 3, 2, 1, 0]
      p.expect(try p.movePages(places, to: wanted), wanted, "statuses")
      p.expect(p.nodes(at, pages: 8), wanted, "nodes")
      p.expectFilled(at, pages: 8)
      p.fill(at, pages: 8, seed: 70)
      p.expectFilled(at, pages: 8, seed: 70)
    },
    ScenarioCase(
      "move_pages03", "MOVE_ALL moves pages that others share, and they stay shared.", needs: basePages
    ) { p in
      let at = try p.map(4, .shared)
      let copies = try p.map(4)
      p.fill(at, pages: 4)
      p.fill(copies, pages: 4)
      let child = try p.fork()
      for start in [at, copies] {
        let places = (0..<4).map { start + $0 * page }
        p.expect(
          try p.movePages(places, to: [3, 2, 1, 3], flags: MoveFlags.moveAll), [3, 2, 1, 3], "statuses")
        child.expectFilled(start, pages: 4)
        p.expect(child.nodes(start, pages: 4), [3, 2, 1, 3], "nodes for the child")
      }
      p.store(at, 99)
      p.store(copies, 98)
      child.expectLoad(at, 99)
      child.expectFilled(copies, pages: 4)
      child.exit()
    },
    ScenarioCase(
      "move_pages04", "Untouched pages, pages of zeroes and holes each have their status.", needs: basePages
    ) { p in
      let at = try p.map(4)
      p.store(at, 5)
      p.expectLoad(at + 2 * page, 0)
      try p.unmap(at + 3 * page)
      let places = (0..<4).map { at + $0 * page }
      p.expect(try p.movePages(places), [0, -2, -14, -14], "statuses")
      p.expect(try p.movePages(places, to: [1, 1, 1, 1]), [1, -2, -14, -14], "statuses")
      p.expectNode(1, at)
      p.expectLoad(at, 5)
    },
    ScenarioCase(
      "move_pages05", "Without MOVE_ALL a page that others share stays, and its status says why.",
      needs: basePages
    ) { p in
      let at = try p.map(3)
      p.fill(at, pages: 3)
      let child = try p.fork()
      p.store(at, 77)
      let places = (0..<3).map { at + $0 * page }
      p.expect(try p.movePages(places, to: [2, 2, 2]), [2, -13, -13], "statuses")
      p.expect(p.nodes(at, pages: 3), [2, 0, 0], "nodes")
      child.expectFilled(at, pages: 3)
      child.exit()
      p.expect(try p.movePages(places, to: [2, 2, 2]), [2, 2, 2], "statuses when nobody shares them")
    },
    ScenarioCase("move_pages06", "A node that the machine does not have is refused.", needs: basePages) { p in
      let at = try p.map(2)
      p.fill(at, pages: 2)
      for node in [4, 63, -1] {
        p.expectErrno(.enodev, when: "for node \(node)") { try p.movePages([at], to: [node]) }
      }
      try p.allow([0, 1])
      p.expectErrno(.eacces, when: "for a node that may not be used") { try p.movePages([at], to: [2]) }
      p.expectNode(0, at, pages: 2)
    },
    ScenarioCase(
      "move_pages07", "A process that is not there is refused, and one of another user.", needs: basePages
    ) { p in
      let at = try p.map(1)
      p.store(at, 1)
      let other = try p.scenario.start()
      p.expectErrno(.esrch) {
        try p.call(
          .movePages,
          ["pid": 77, "count": 1, "pages": p.put([at]), "nodes": 0, "status": p.scratch(64), "flags": 2])
      }
      (p.user, p.privileges) = (5, [])
      p.expectErrno(.eperm) { try p.movePages([at], of: other) }
      other.user = 5
      p.expect(try p.movePages([at], of: other), [-14], "statuses of a process without memory")
    },
    ScenarioCase("move_pages09", "Pages that are where they should be are a success.", needs: basePages) {
      p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let places = (0..<4).map { at + $0 * page }
      for _ in 0..<2 { p.expect(try p.movePages(places, to: [0, 0, 1, 1]), [0, 0, 1, 1], "statuses") }
      p.expectFilled(at, pages: 4)
    },
    ScenarioCase("move_pages10", "Flags that are not the call's are refused.", needs: basePages) { p in
      let at = try p.map(1)
      p.store(at, 1)
      for flags in [MoveFlags.strict, MoveFlags.strict | MoveFlags.move, 8] {
        p.expectErrno(.einval, when: "for \(flags)") { try p.movePages([at], to: [1], flags: flags) }
      }
      p.expectNode(0, at)
      p.expectErrno(.efault, when: "for addresses that are not mapped") {
        try p.call(
          .movePages, ["pid": 0, "count": 1, "pages": 8, "nodes": 0, "status": p.scratch(64), "flags": 2])
      }
    },
    ScenarioCase("move_pages11", "MOVE_ALL takes a right that not everybody has.", needs: basePages) { p in
      let at = try p.map(1)
      p.store(at, 1)
      p.privileges = []
      p.expectErrno(.eperm) { try p.movePages([at], to: [1], flags: MoveFlags.moveAll) }
      p.expect(try p.movePages([at], to: [1]), [1], "statuses without it")
    },
    ScenarioCase(
      "numa-policy.huge", "A huge page moves whole, or as parts, with all bytes.",
      needs: Needs(nodes: 2, cpus: 2, hugePages: .always)
    ) { p in
      let at = try p.map(512, at: 0x90_0000_0000)
      p.fill(at, pages: 512)
      p.expect(p.isHuge(at), "the page is huge")
      p.expect(try p.movePages([at + 7 * page], to: [1]), [1], "statuses")
      p.expectNode(1, at + 7 * page)
      p.expectFilled(at, pages: 512)
      try p.bind(at, pages: 512, Policy.bind, [0], flags: MoveFlags.move)
      p.expectNode(0, at, pages: 512)
      p.expectFilled(at, pages: 512)
    },
  ]

  /// migrate_pages.
  static let pageMigrations: [ScenarioCase] = [
    ScenarioCase(
      "migrate_pages01", "Masks, nodes and processes that are not there or not allowed are refused.",
      needs: fourNodes
    ) { p in
      let other = try p.scenario.start()
      func migrate(_ pid: UInt64, _ bits: UInt64, _ old: UInt64, _ new: UInt64) throws {
        try p.call(.migratePages, ["pid": pid, "bits": bits, "old": old, "new": new])
      }
      let (old, new) = (p.mask([0]), p.mask([1], at: 64))
      try migrate(0, 65, old, new)
      p.expectErrno(.esrch) { try migrate(99, 65, old, new) }
      p.expectErrno(.einval, when: "for a mask of too many bits") { try migrate(0, .max, old, new) }
      p.expectErrno(.einval, when: "for a node that is not there") {
        try migrate(0, 65, old, p.mask([9], at: 128))
      }
      let none = try p.map(1, protection: [])
      for bad in [8, none, 0 &- page] {
        p.expectErrno(.efault, when: "for a mask at \(bad.text)") { try migrate(0, 65, bad, new) }
        p.expectErrno(.efault, when: "for a mask at \(bad.text)") { try migrate(0, 65, old, bad) }
      }
      other.user = 1
      (p.user, p.privileges) = (2, [])
      p.expectErrno(.eperm, when: "for another user's process") {
        try migrate(UInt64(other.pid), 65, old, new)
      }
    },
    ScenarioCase("migrate_pages02", "A process's own pages move; shared ones take a right.", needs: basePages)
    { p in
      let at = try p.map(8)
      let shared = try p.map(8, .shared)
      p.fill(at, pages: 8)
      p.fill(shared, pages: 8)
      let child = try p.fork()
      child.store(at + page, 77)
      child.privileges = []
      p.expect(try child.migratePages(from: [0], to: [2]), 0, "pages that did not move")
      p.expect(child.nodes(at, pages: 8), [0, 2, 0, 0, 0, 0, 0, 0], "nodes for the child")
      child.expectFilled(shared, pages: 8)
      child.expectNode(0, shared, pages: 8)
      child.privileges = .schedule
      p.expect(try child.migratePages(from: [0], to: [3]), 0, "pages that did not move")
      p.expectNode(3, shared, pages: 8)
      p.expectNode(3, at + 2 * page, pages: 6)
      child.expectNode(2, at + page)
      p.expect(
        try child.migratePages(of: p, from: [3, 0], to: [1, 2]), 0, "pages of the parent that did not move")
      p.expectNode(2, shared, pages: 8)
      p.expectNode(1, at + page)
      p.expectFilled(at, pages: 8)
      child.expectFilled(shared, pages: 8)
      child.expectLoad(at + page, 77)
      child.exit()
    },
  ]
}

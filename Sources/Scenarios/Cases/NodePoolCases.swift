// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  private static let fourNodes = Needs(nodes: 4, cpus: 4)
  private static let base: UInt64 = 0xA0_0000_0000

  /// Pools, merged pages and limits where there are several nodes, or groups.
  static let ksmNodes: [ScenarioCase] = [
    ScenarioCase(
      "ksm03", "In a memory group pages are merged as anywhere, and the group is charged for what is left."
    ) { p in
      let group = try p.group("a", limit: 256, joins: false)
      try p.administration.setMergeMode(.merge)
      let family = try [p.fork(), p.fork(), p.fork()]
      for (member, byte) in zip(family, [99, 97, 97] as [UInt8]) {
        try member.join(group)
        _ = try member.map(20, at: base)
        member.fillSame(base, 20, byte)
        try member.advise(base, pages: 20, .mergeable)
      }
      let before = try p.administration.group(group).usage
      try p.expectMerged(shared: 2, sharing: 58)
      p.expect(
        before - (try p.administration.group(group).usage), 58,
        "pages that the group is not charged for any more")
      family[1].fillSame(base, 20, 98)
      try p.expectMerged(shared: 3, sharing: 57)
      for (member, byte) in zip(family, [99, 98, 97] as [UInt8]) {
        member.expectSame(base, 20, byte)
        member.exit()
      }
    },
    ScenarioCase(
      "ksm04", "Members of a memory group that are bound to nodes are merged as anybody.", needs: fourNodes
    ) { p in
      let group = try p.group("a", limit: 256, joins: false)
      try p.administration.setMergeMode(.merge)
      let family = try [p.fork(), p.fork(), p.fork()]
      for (node, member) in family.enumerated() {
        try member.join(group)
        try member.setPolicy(Policy.bind, [node])
        _ = try member.map(20, at: base)
        member.fillSame(base, 20, 77)
        member.expectNode(node, base, pages: 20)
        try member.advise(base, pages: 20, .mergeable)
      }
      try p.expectMerged(shared: 1, sharing: 59)
      for member in family {
        member.store(base + 5, 1)
        member.expectSame(base + page, 19, 77)
      }
      try p.administration.setMergeMode(.unmerge)
      for member in family {
        member.expectLoad(base + 5, 1)
        member.expectSame(base + page, 19, 77)
        member.exit()
      }
    },
    ScenarioCase(
      "ksm06", "Without merge_across_nodes each node has a merged page of its own.", needs: fourNodes
    ) { p in
      try p.administration.setMergeMode(.merge)
      let at = try p.map(16, at: base)
      for node in 0..<4 {
        try p.bind(at + UInt64(node) * 4 * page, pages: 4, Policy.bind, [node])
      }
      p.fillSame(at, 16, 5)
      try p.advise(at, pages: 16, .mergeable)
      try p.expectMerged(shared: 1, sharing: 15)
      p.expectErrno(.ebusy, when: "while pages are merged") {
        try p.administration.setMergesAcrossNodes(false)
      }
      try p.administration.setMergeMode(.unmerge)
      try p.administration.setMergesAcrossNodes(false)
      try p.expectMerged(shared: 4, sharing: 12)
      for node in 0..<4 { p.expectNode(node, at + UInt64(node) * 4 * page, pages: 4) }
      p.expectSame(at, 16, 5)
    },
  ]

  static let mergedMigrations: [ScenarioCase] = [
    ScenarioCase(
      "migrate_pages03", "Merged pages move back and forth between nodes with everybody who shares them.",
      needs: fourNodes
    ) { p in
      try p.administration.setMergeMode(.merge)
      let at = try p.map(20, at: base)
      let child = try p.fork()
      for member in [p, child] {
        member.fillSame(at, 20, 9)
        try member.advise(at, pages: 20, .mergeable)
      }
      try p.expectMerged(shared: 1, sharing: 39)
      for round in 0..<40 {
        let (from, to) = (round % 2, (round + 1) % 2)
        p.expect(
          try p.migratePages(of: round & 2 == 0 ? p : child, from: [from], to: [to]), 0,
          "pages that did not move")
        p.expectNode(to, at, pages: 20)
        child.expectNode(to, at, pages: 20)
      }
      for member in [p, child] { member.expectSame(at, 20, 9) }
      p.store(at, 1)
      child.expectSame(at, 20, 9)
      child.exit()
    }
  ]

  static let pooledNodes: [ScenarioCase] = [
    ScenarioCase(
      "cpuset02", "Pooled pages come from the nodes that are allowed, and no others.", needs: fourNodes
    ) { p in
      try p.setHugePool(4)
      for node in 0..<4 {
        p.expect(try p.administration.hugePagePool(.twoMiB, node: node).free, 1, "free pages of node \(node)")
      }
      for node in [2, 0] {
        try p.allow([node])
        let at = try p.mapHuge(1)
        p.fillHuge(at, 1)
        p.expectNode(node, at)
        try p.allow([0, 1, 2, 3])
        p.expectHuge(at, 1)
      }
      try p.allow([2])
      let more = try p.mapHuge(1, flags: .noReserve)
      p.expectSignal(.noHugePage, .store, more)
      try p.allow([1, 3])
      p.fillHuge(more, 1)
      p.expect([1, 3].contains(p.node(more) ?? -1), "a page of an allowed node")
      p.expectPool(4, free: 1)
    }
  ]
}

extension Program {
  /// Gives `pages` pages the same contents, which `byte` decides.
  func fillSame(_ start: UInt64, _ pages: UInt64, _ byte: UInt8) {
    for number in 0..<pages {
      for place in [0, 1000, 4095] as [UInt64] { store(start + number * page + place, byte) }
    }
  }

  /// The contents that `fillSame` gave must be there.
  func expectSame(_ start: UInt64, _ pages: UInt64, _ byte: UInt8) {
    for number in 0..<pages {
      for place in [0, 1000, 4095] as [UInt64] { expectLoad(start + number * page + place, byte) }
      expectLoad(start + number * page + 77, 0)
    }
  }

  /// After three scans - to see pages, to find them unchanged, and for what was found meanwhile - the counters must be so.
  func expectMerged(shared: UInt64, sharing: UInt64, unshared: UInt64 = 0) throws {
    for _ in 0..<3 { try merge(pages: .max) }
    let counts = administration.samePages.counts
    let got = [counts.shared, counts.sharing, counts.unshared, counts.volatile]
    expect(got, [shared, sharing, unshared, 0], "pages shared, sharing, unshared and volatile")
  }
}

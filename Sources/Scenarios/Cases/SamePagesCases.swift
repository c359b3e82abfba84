// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let ksm = ScenarioGroup("ksm", isComplete: true, ksmCases, ksmNodes)

  private static let base: UInt64 = 0xA0_0000_0000
  private static let pages: UInt64 = 24

  private static let ksmCases: [ScenarioCase] = [
    ScenarioCase(
      "ksm01", "Counters are exact through four phases of contents, and everybody reads what he stored."
    ) { p in
      try p.administration.setMergeMode(.merge)
      let others = try [p.fork(), p.fork()]
      let family = [p] + others
      for (member, byte) in zip(family, [99, 97, 97] as [UInt8]) {
        _ = try member.map(pages, at: base)
        member.fillSame(base, pages, byte)
        try member.advise(base, pages: pages, .mergeable)
      }
      try p.expectMerged(shared: 2, sharing: 3 * pages - 2)
      others[0].fillSame(base, pages, 98)
      try p.expectMerged(shared: 3, sharing: 3 * pages - 3)
      for (member, byte) in zip(family, [99, 98, 97] as [UInt8]) { member.expectSame(base, pages, byte) }
      for member in family { member.fillSame(base, pages, 100) }
      others[1].store(base + 5 * page + 77, 1)
      try p.expectMerged(shared: 1, sharing: 3 * pages - 2, unshared: 1)
      others[1].expectLoad(base + 5 * page + 77, 1)
      for member in family.dropLast() { member.expectSame(base, pages, 100) }
      try p.administration.setMergeMode(.unmerge)
      p.expect(p.administration.samePages.counts.shared, 0, "merged pages when they were taken apart")
      p.expect(p.administration.samePages.counts.sharing, 0, "sharers when they were taken apart")
      for member in family.dropLast() { member.expectSame(base, pages, 100) }
      for member in others { member.exit() }
    },
    ScenarioCase(
      "ksm02", "Memory that is bound to nodes is merged as any other.", needs: Needs(nodes: 2, cpus: 2)
    ) { p in
      try p.administration.setMergeMode(.merge)
      let others = try [p.fork(), p.fork()]
      let family = [p] + others
      for (member, (byte, node)) in zip(family, [(99, 0), (97, 0), (97, 1)] as [(UInt8, Int)]) {
        try member.allow([node])
        try member.setPolicy(Policy.bind, [node])
        _ = try member.map(pages, at: base)
        member.fillSame(base, pages, byte)
        member.expectNode(node, base, pages: pages)
        try member.advise(base, pages: pages, .mergeable)
      }
      try p.expectMerged(shared: 2, sharing: 3 * pages - 2)
      others[0].fillSame(base, pages, 98)
      others[0].expectNode(0, base, pages: pages)
      try p.expectMerged(shared: 3, sharing: 3 * pages - 3)
      for (member, byte) in zip(family, [99, 98, 97] as [UInt8]) { member.expectSame(base, pages, byte) }
      for member in others { member.exit() }
    },
    ScenarioCase("ksm.own", "A store gives a copy to who stores, and MADV_UNMERGEABLE to who asks for it.") {
      p in
      try p.administration.setMergeMode(.merge)
      let at = try p.map(8, at: base)
      p.fillSame(at, 8, 5)
      try p.advise(at, pages: 8, .mergeable)
      let free = p.host.freeFrames
      try p.expectMerged(shared: 1, sharing: 7)
      p.expect(p.host.freeFrames - free, 7, "frames that merging frees")
      p.store(at + 3 * page + 50, 6)
      p.expectLoad(at + 3 * page + 50, 6)
      p.expectSame(at, 3, 5)
      p.expectSame(at + 4 * page, 4, 5)
      try p.advise(at, pages: 8, .unmergeable)
      p.expect(p.host.freeFrames, free, "free frames when nothing is merged any more")
      p.expect(p.administration.samePages.counts.shared, 0, "merged pages")
      p.fillSame(at, 1, 9)
      p.expectSame(at + page, 2, 5)
    },
    ScenarioCase(
      "ksm.swap", "Merged pages go to swap in one slot, and come back to everybody.",
      needs: Needs(swapPages: 64)
    ) { p in
      try p.administration.setMergeMode(.merge)
      let at = try p.map(8, at: base)
      p.fillSame(at, 8, 5)
      try p.advise(at, pages: 8, .mergeable)
      let child = try p.fork()
      try p.expectMerged(shared: 1, sharing: 15)
      for _ in 0..<3 { p.reclaim() }
      p.expect(p.swappedPages, 8, "pages in swap")
      p.expect(p.administration.usedSwap, 1, "slots")
      child.store(at, 7)
      p.expectSame(at, 8, 5)
      child.expectSame(at + page, 7, 5)
      child.expectLoad(at, 7)
      child.exit()
    },
    ScenarioCase(
      "ksm.shared", "Shared memory is passed by without an error, private copies of a file are not."
    ) { p in
      try p.administration.setMergeMode(.merge)
      let file = try p.memfd(size: 4 * page)
      let shared = try p.map(4, .shared, file: file)
      let copies = try p.map(4, file: file)
      for at in [shared, copies] {
        p.fillSame(at, 4, 3)
        try p.advise(at, pages: 4, .mergeable)
      }
      try p.expectMerged(shared: 1, sharing: 3)
      p.store(copies, 4)
      p.expectSame(shared, 4, 3)
      p.expectSame(copies + page, 3, 3)
    },
  ]
}

// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let memcg = ScenarioGroup("memcg", isComplete: true, memoryGroupCases, memoryGroupLimitCases)

  /// The kinds of memory that limits are tried with: what it is called, and how a program maps `pages` of it.
  private static let kinds: [(name: String, map: @Sendable (Program, UInt64) throws -> UInt64)] = [
    ("private memory", { p, pages in try p.map(pages) }),
    ("shared memory", { p, pages in try p.map(pages, .shared) }),
    ("a file", { p, pages in try p.map(pages, .shared, file: try p.file(size: pages * page)) }),
  ]

  private static let memoryGroupCases: [ScenarioCase] = [
    ScenarioCase("memcontrol02", "A group is charged for private memory and for files, each under its name.")
    {
      p in
      let group = try p.group("a")
      let at = try p.map(100)
      p.fill(at, pages: 100)
      p.expectUsage(group, 100)
      p.expect(p.statistics(group).anonymous, 100, "private pages")
      p.expect(p.statistics(group).cache, 0, "pages of files")
      let file = try p.map(50, .shared, file: try p.file(size: 50 * page))
      p.fill(file, pages: 50)
      p.expectUsage(group, 150)
      p.expect(p.statistics(group).anonymous, 100, "private pages")
      p.expect(p.statistics(group).cache, 50, "pages of files")
      try p.unmap(at, pages: 100)
      p.expectUsage(group, 50)
    },
    ScenarioCase(
      "memcg_stat_rss", "Private and locked pages count as private, pages of files and shared memory not."
    ) {
      p in
      let group = try p.group("a")
      for (kind, map) in kinds {
        let usage = p.group(group)?.usage ?? 0
        let at = try map(p, 16)
        p.fill(at, pages: 16)
        p.expect(
          p.statistics(group).anonymous, kind == "private memory" ? 16 : 0, "private pages with \(kind)")
        p.expectUsage(group, usage + 16)
        try p.unmap(at, pages: 16)
        p.expect(p.statistics(group).anonymous, 0, "private pages after \(kind)")
      }
      let locked = try p.map(16)
      try p.lock(locked, pages: 16)
      p.expect(p.statistics(group).anonymous, 16, "private pages that are locked")
      let file = try p.file(size: 4 * page)
      let copy = try p.map(4, file: file)
      for number in 0..<4 as Range<UInt64> { p.expectLoad(copy + number * page, 0) }
      p.expect(
        p.statistics(group).anonymous, 16, "private pages before a private mapping of a file is written")
      p.store(copy, 1)
      p.expect(p.statistics(group).anonymous, 17, "private pages after that")
      try p.unmap(locked, pages: 16)
      try p.unmap(copy, pages: 4)
      p.expect(p.statistics(group).anonymous, 0, "private pages in the end")
    },
    ScenarioCase(
      "memcg_stat", "Shared memory counts as cache, mapped files as mapped, locked pages as unevictable."
    ) {
      p in
      let whole = try p.group("whole", limit: 1000, joins: false)
      let group = try p.group("a", in: whole, limit: 2000)
      let shared = try p.map(12, .shared)
      p.fill(shared, pages: 12)
      var now = p.statistics(group)
      p.expect(now.sharedMemory, 12, "pages of shared memory")
      p.expect(now.cache, 12, "pages of the cache")
      let file = try p.map(10, .shared, file: try p.file(size: 10 * page), protection: .read)
      for number in 0..<10 as Range<UInt64> { p.expectLoad(file + number * page, 0) }
      now = p.statistics(group)
      p.expect(now.sharedMemory, 12, "pages of shared memory with a file")
      p.expect(now.cache, 22, "pages of the cache with a file")
      p.expect(now.mappedFile, 22, "pages of files that are mapped")
      let locked = try p.map(9)
      try p.lock(locked, pages: 9)
      p.expect(p.statistics(group).unevictable, 9, "locked pages")
      try p.unlock(locked, pages: 9)
      p.expect(p.statistics(group).unevictable, 0, "locked pages after munlock")
      p.expect(p.statistics(whole).cache, 22, "pages of the cache in the whole")
      p.expectUsage(whole, 31)
      p.expect(p.group(group)?.limit, 2000, "the limit of the part, which the whole's makes useless")
    },
    ScenarioCase(
      "memcg_usage_in_bytes",
      "Usage follows what a member has, to the page; zeroes and reservations are free."
    ) {
      p in
      let group = try p.group("a")
      p.expectUsage(group, 0)
      let at = try p.map(300)
      p.expectUsage(group, 0)
      p.expectZero(at, bytes: 20 * page)
      p.expectUsage(group, 0)
      p.fill(at, pages: 200)
      p.expectUsage(group, 200)
      try p.inChild { child in
        p.expectUsage(group, 200)
        child.fill(at, pages: 25, seed: 9)
        p.expectUsage(group, 225)
      }
      p.expectUsage(group, 200)
      try p.advise(at, pages: 150, .dontNeed)
      p.expectUsage(group, 50)
      try p.unmap(at, pages: 300)
      p.expectUsage(group, 0)
    },
    ScenarioCase("memcg_max_usage_in_bytes", "The peak is the most there was; it can begin anew.") { p in
      let group = try p.group("a")
      let at = try p.map(64)
      p.fill(at, pages: 64)
      try p.unmap(at + 16 * page, pages: 48)
      p.expect(p.group(group)?.peak, 64, "the peak")
      try p.administration.resetPeak(ofGroup: group)
      p.expect(p.group(group)?.peak, 16, "the peak, begun anew")
      try p.unmap(at, pages: 16)
      try p.administration.resetPeak(ofGroup: group)
      p.expect(p.group(group)?.peak, 0, "the peak of nothing")
      p.expectUsage(group, 0)
    },
    ScenarioCase(
      "memcg_subgroup_charge", "Charges stay in the group where they came about when their process moves."
    ) {
      p in
      let whole = try p.group("whole", joins: false)
      let first = try p.group("a", in: whole)
      let second = try p.group("b", in: whole, joins: false)
      let at = try p.map(64)
      p.fill(at, pages: 10)
      try p.join(second)
      p.expectUsage(first, 10)
      p.expectUsage(second, 0)
      p.fill(at, pages: 15)
      p.expectUsage(first, 10)
      p.expectUsage(second, 5)
      p.expectUsage(whole, 15)
      p.expectErrno(.ebusy, when: "for a group with members") { try p.administration.removeGroup(second) }
      p.expectErrno(.ebusy, when: "for a group with parts") { try p.administration.removeGroup(whole) }
      p.expectErrno(.eexist, when: "for a name that is taken") { try p.group("a", in: whole) }
      try p.administration.removeGroup(first)
      p.expectErrno(.enoent, when: "for a group that is gone") { try p.join(first) }
      p.expectUsage(whole, 15)
      p.expectFilled(at, pages: 15)
      try p.unmap(at, pages: 64)
      p.expectUsage(whole, 0)
    },
  ]

  private static let memoryGroupLimitCases: [ScenarioCase] = [
    ScenarioCase(
      "memcg_failcnt", "Memory of any kind beyond the limit counts as a failure, and the count begins anew."
    ) {
      p in
      let group = try p.group("a", joins: false)
      for (kind, map) in kinds {
        let child = try p.fork()
        let room = try map(child, 2)
        try child.join(group)
        try p.setLimit(group, pages: 1)
        child.store(room, 1)
        p.expect(p.group(group)?.failures, 0, "failures below the limit with \(kind)")
        _ = child.access(.store, room + page, 1)
        p.expect((p.group(group)?.failures ?? 0) > 0, "the failure is counted with \(kind)")
        child.exit()
        try p.administration.resetFailures(ofGroup: group)
        p.expect(p.group(group)?.failures, 0, "failures, begun anew")
        p.expectUsage(group, 0)
      }
    },
    ScenarioCase(
      "memcg_limit_in_bytes",
      "A limit is whole pages; with swap a group lives within it, and nobody outside pays.",
      needs: Needs(swapPages: 512, hugePages: .never)
    ) { p in
      let outside = try p.map(16)
      p.fill(outside, pages: 16)
      let child = try p.fork()
      let group = try child.group("a")
      try p.setLimit(group, pages: 32, bytes: 100)
      p.expect(p.group(group)?.limit, 32, "the limit in pages")
      for (kind, map) in kinds {
        let at = try map(child, 96)
        for seed in 1...2 as ClosedRange<UInt64> {
          child.fill(at, pages: 96, seed: seed)
          p.expect((p.group(group)?.usage ?? .max) <= 32, "usage within the limit with \(kind)")
          child.expectFilled(at, pages: 96, seed: seed)
        }
        p.expect((p.group(group)?.failures ?? 0) > 0, "failures are counted with \(kind)")
        try p.setLimit(group, pages: 8)
        p.expect((p.group(group)?.usage ?? .max) <= 8, "usage within a smaller limit with \(kind)")
        child.expectFilled(at, pages: 96, seed: 2)
        try child.unmap(at, pages: 96)
        try p.setLimit(group, pages: 32)
      }
      let locked = try child.map(33)
      try child.lock(locked, pages: 30)
      p.expectErrno(.ebusy, when: "for a limit below what is locked") { try p.setLimit(group, pages: 10) }
      p.expect(p.group(group)?.limit, 32, "the limit after that")
      p.expect(p.presentPages(outside, pages: 16), 16, "pages of somebody else in memory")
      p.expectFilled(outside, pages: 16)
      child.exit()
    },
    ScenarioCase(
      "memcg_control", "Without swap a group at its limit loses its largest process, and no other does.",
      needs: Needs(hugePages: .never)
    ) { p in
      let outside = try p.map(64)
      p.fill(outside, pages: 64)
      let group = try p.group("a", limit: 40, joins: false)
      let large = try p.scenario.start()
      let small = try p.scenario.start()
      for member in [large, small] { try member.join(group) }
      let (first, second) = (try large.map(64), try small.map(64))
      large.fill(first, pages: 30)
      small.fill(second, pages: 20)
      p.expect(p.administration.processes.contains(large.pid), false, "the larger process is there")
      p.expect(p.administration.processes.contains(small.pid), true, "the smaller process is there")
      p.expect(p.group(group)?.kills, 1, "processes that were ended")
      p.expectUsage(group, 20)
      small.fill(second, pages: 40)
      p.expect(small.access(.store, second + 40 * page, 1), .outOfMemory, "a store beyond the limit, alone")
      small.expectFilled(second, pages: 40)
      p.expectFilled(outside, pages: 64)
      // Told not to end anybody, the group leaves its other members alone.
      try p.administration.setKilling(ofGroup: group, false)
      let third = try p.scenario.start()
      try third.join(group)
      let place = try third.map(1)
      p.expect(third.access(.store, place, 1), .outOfMemory, "a store of another member")
      p.expect(p.administration.processes.contains(small.pid), true, "the first member is there")
      try small.unmap(second, pages: 1)
      third.store(place, 1)
      p.expectUsage(group, 40)
    },
    ScenarioCase(
      "memcg.hierarchy", "The limit of a group counts for its parts, and reclaim takes pages of the parts.",
      needs: Needs(swapPages: 256, hugePages: .never)
    ) { p in
      let whole = try p.group("whole", limit: 16, joins: false)
      let (first, second) = (try p.fork(), try p.fork())
      let one = try first.group("a", in: whole)
      let two = try second.group("b", in: whole)
      let (left, right) = (try first.map(12), try second.map(12))
      first.fill(left, pages: 12)
      second.fill(right, pages: 12, seed: 5)
      p.expect((p.group(whole)?.usage ?? .max) <= 16, "usage within the limit of the whole")
      p.expect((p.group(whole)?.failures ?? 0) > 0, "failures of the whole")
      p.expect(p.group(one)?.failures, 0, "failures of the first part")
      p.expect(p.group(two)?.failures, 0, "failures of the second part")
      p.expect(
        (p.group(one)?.usage ?? 0) + (p.group(two)?.usage ?? 0), p.group(whole)?.usage ?? 0, "their sum")
      first.expectFilled(left, pages: 12)
      second.expectFilled(right, pages: 12, seed: 5)
    },
  ]
}

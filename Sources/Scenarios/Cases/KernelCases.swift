// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

/// Cases of our own about things that no single system call is responsible for: memory that runs out in the middle, and
/// what a page must keep on its ways through swap, nodes, merging and pools.
extension ScenarioCatalog {
  static let kernel = ScenarioGroup("kernel", kernelCases, kernelPageCases)

  /// A word per node, for calls that take a set of nodes.
  private static func nodes(_ p: Program, _ node: UInt64) -> UInt64 {
    p.put([1 << node], at: (8 + node) * page)
  }

  private static let kernelCases: [ScenarioCase] = [
    ScenarioCase("kernel.failedFault", "A fault that finds no memory, however far it gets, loses no frame.") {
      p in
      for successes in 0..<8 as Range<UInt64> {
        // Far from everything else, so that tables are needed as well.
        let at = 0x40_0000_0000 + successes * (1 << 39)
        _ = try p.map(1, at: at)
        p.host.injectFailure(after: Int(successes), staysBroken: true)
        let got = p.access(.store, at, 1)
        p.host.injectFailure(after: nil, staysBroken: false)
        if got != .byte(1) { p.expect(got, .outOfMemory, "a store with \(successes) frames left") }
        p.store(at, 2)
        p.expectLoad(at, 2)
      }
    },
    ScenarioCase(
      "kernel.failedFork", "A fork that finds no memory, however far it gets, leaves nothing behind."
    ) {
      p in
      var places: [UInt64] = []
      for number in 0..<4 as Range<UInt64> {
        let at = 0x40_0000_0000 + number * (1 << 39)
        _ = try p.map(3, at: at)
        p.fill(at, pages: 3, seed: number)
        places.append(at)
      }
      var failed = 0
      for successes in 0..<40 {
        p.host.injectFailure(after: successes, staysBroken: true)
        var child: Program?
        do throws(Errno) { child = try p.fork() } catch {
          failed += 1
          p.expect(error, .enomem, "a fork with \(successes) frames left")
        }
        p.host.injectFailure(after: nil, staysBroken: false)
        for (number, at) in places.enumerated() {
          p.fill(at, pages: 3, seed: UInt64(number + successes))
          p.expectFilled(at, pages: 3, seed: UInt64(number + successes))
        }
        if let child {
          child.exit()
          break
        }
      }
      p.expect(failed > 0, "a fork without memory fails")
    },
    ScenarioCase(
      "kernel.manyProcesses",
      "A new process finds its memory empty, wherever others had theirs on the same CPU.",
      needs: Needs(cpus: 2)
    ) { p in
      let at: UInt64 = 0x40_0000_0000
      for round in 0..<24 as Range<UInt64> {
        let other = try p.scenario.start()
        other.run(on: Int(round / 3 % 2))
        _ = try other.map(3, at: at)
        other.expectLoad(at + page, 0)
        other.fill(at, pages: 3, seed: round)
        other.expectFilled(at, pages: 3, seed: round)
        other.exit()
      }
    },
  ]

  private static let kernelPageCases: [ScenarioCase] = [
    ScenarioCase(
      "kernel.faultAround",
      "Pages of a file that are mapped around a load are copied when a private mapping writes."
    ) { p in
      p.administration.faultAroundPages = 16
      let file = try p.file(size: 8 * page)
      let shared = try p.map(8, .shared, file: file)
      p.fill(shared, pages: 8)
      let copy = try p.map(8, file: file, at: 0x40_0000_0000)
      p.expectFilled(copy, pages: 1)
      p.expect(p.presentPages(copy, pages: 8), 8, "pages that one load maps")
      p.fill(copy, pages: 8, seed: 60)
      p.expectFilled(copy, pages: 8, seed: 60)
      p.expectFilled(shared, pages: 8)
    },
    ScenarioCase(
      "kernel.collapse",
      "A CPU that used base pages sees the huge page that took their place, and its last byte.",
      needs: Needs(cpus: 2, pageSize: .twoMiB)
    ) { p in
      let at: UInt64 = 0x40_0000_0000
      let ends: [UInt64] = [0, 7 * page + 5, huge - page, huge - 1]
      _ = try p.map(512, at: at)
      try p.advise(at, pages: 512, .noHugePage)
      for (number, offset) in ends.enumerated() { p.store(at + offset, UInt8(number) + 11) }
      let other = try p.share()
      other.run(on: 1)
      for (number, offset) in ends.enumerated() { other.expectLoad(at + offset, UInt8(number) + 11) }
      try p.advise(at, pages: 512, .hugePage)
      try p.advise(at, pages: 512, .collapse)
      p.expect(p.isHuge(at), true, "the page is huge")
      for (number, offset) in ends.enumerated() { p.expectLoad(at + offset, UInt8(number) + 11) }
      for (number, offset) in ends.enumerated() { p.store(at + offset, UInt8(number) + 21) }
      for (number, offset) in ends.enumerated() { other.expectLoad(at + offset, UInt8(number) + 21) }
      other.store(at + 100 * page, 77)
      p.expectLoad(at + 100 * page, 77)
      other.exit()
    },
    ScenarioCase(
      "kernel.tablesGo", "Memory that is mapped again where other memory was is new for every CPU.",
      needs: Needs(cpus: 2)
    ) { p in
      let at: UInt64 = 0x40_0000_0000
      let other = try p.share()
      other.run(on: 1)
      // Something nearby stays, so that only the last piece of a table goes.
      _ = try p.map(1, at: at + 2 * huge)
      p.store(at + 2 * huge, 1)
      for round in 1...6 as ClosedRange<UInt64> {
        let pages = (round + 1) / 2
        _ = try p.map(512, at: at)
        try p.advise(at, pages: 512, .noHugePage)
        p.fill(at + page, pages: pages, seed: round)
        other.expectFilled(at + page, pages: pages, seed: round)
        try p.advise(at + page, pages: pages, .dontNeed)
        try p.unmap(at, pages: 512)
        // What tables were made of becomes other tables, and memory with words that look like entries of one.
        for number in 1...2 as ClosedRange<UInt64> {
          let between = at + (4 + 4 * round + number) * huge + page
          _ = try p.map(3, at: between)
          for index in 0..<3 as Range<UInt64> {
            for word in 1...3 as ClosedRange<UInt64> {
              p.storeWord(between + index * page + word * 8, 0x5067)
            }
          }
        }
        for index in 1...pages { other.expectSignal(.unmapped, .load, at + index * page) }
      }
      other.exit()
    },
    ScenarioCase(
      "kernel.pool",
      "Pooled huge pages are copied as a whole, come back clean, and promises end with their area.",
      needs: Needs(hugePool: 4)
    ) { p in
      let map = { () throws(Errno) -> UInt64 in try p.map(512, flags: [.hugeTLB, .size2M]) }
      let ends: [UInt64] = [0, huge / 2, huge - page, huge - 1]
      let at = try map()
      for (number, offset) in ends.enumerated() { p.store(at + offset, UInt8(number) + 31) }
      try p.inChild { child in
        child.store(at, 99)
        for (number, offset) in ends.enumerated().dropFirst() {
          child.expectLoad(at + offset, UInt8(number) + 31)
        }
        for (number, offset) in ends.enumerated() { p.expectLoad(at + offset, UInt8(number) + 31) }
      }
      try p.unmap(at, pages: 512)
      // Whichever of the pool's pages it gets, nothing of the past is in it.
      let all = try (0..<4).map { _ in try map() }
      for place in all { for offset in ends { p.expectLoad(place + offset, 0) } }
      for place in all { try p.unmap(place, pages: 512) }
      let untouched = try map()
      p.expect(p.hugePool()?.reserved, 1, "promised pages of an area that nobody touched")
      try p.unmap(untouched, pages: 512)
      p.expect(p.hugePool()?.reserved, 0, "promised pages without an area")
      p.expect(p.hugePool()?.free, 4, "free pages of the pool")
    },
    ScenarioCase(
      "kernel.slots",
      "Parent and child find their page in swap for as long as one of them needs it, each its own.",
      needs: Needs(swapPages: 64, hugePages: .never)
    ) { p in
      let at = try p.map(8)
      p.fill(at, pages: 8)
      try p.advise(at, pages: 8, .pageOut)
      p.expect(p.swappedPages, 8, "pages in swap")
      // The child reads half of them, writes the other half, and goes. Somebody else needs all the slots that are free.
      let child = try p.fork()
      child.expectFilled(at, pages: 4)
      child.fill(at + 4 * page, pages: 4, seed: 40)
      p.expectFilled(at + 4 * page, pages: 1, from: 4)
      child.exit()
      let other = try p.scenario.start()
      let place = try other.map(48)
      other.fill(place, pages: 48, seed: 90)
      try other.advise(place, pages: 48, .pageOut)
      p.expectFilled(at, pages: 8)
      other.expectFilled(place, pages: 48, seed: 90)
      // The same with a child that goes on.
      try p.advise(at, pages: 8, .pageOut)
      let second = try p.fork()
      second.fill(at, pages: 8, seed: 70)
      p.expectFilled(at, pages: 8)
      second.expectFilled(at, pages: 8, seed: 70)
    },
    ScenarioCase(
      "kernel.sharedReclaim",
      "A page that several processes have goes to swap for all of them, and is one page again.",
      needs: Needs(swapPages: 256, hugePages: .never)
    ) { p in
      let at = try p.map(8)
      let shared = try p.map(8, .shared)
      p.fill(at, pages: 8)
      p.fill(shared, pages: 8)
      let children = [try p.fork(), try p.fork()]
      for child in children {
        child.expectFilled(at, pages: 8)
        child.expectFilled(shared, pages: 8)
      }
      p.reclaim()
      p.reclaim()
      for program in [p] + children {
        p.expect(program.presentPages(at, pages: 8), 0, "private pages of process \(program.pid) in memory")
        p.expect(
          program.presentPages(shared, pages: 8), 0, "shared pages of process \(program.pid) in memory")
      }
      children[0].fill(at, pages: 8, seed: 30)
      children[1].fill(shared, pages: 8, seed: 60)
      p.expectFilled(at, pages: 8)
      p.expectFilled(shared, pages: 8, seed: 60)
      children[0].expectFilled(at, pages: 8, seed: 30)
      children[1].expectFilled(at, pages: 8)
      children[0].expectFilled(shared, pages: 8, seed: 60)
    },
    ScenarioCase(
      "kernel.sync", "What msync has seen is written before its page is given up.",
      needs: Needs(hugePages: .never)
    ) { p in
      let file = try p.file(size: 4 * page)
      let at = try p.map(4, .shared, file: file)
      for seed in 1...3 as ClosedRange<UInt64> {
        p.fill(at, pages: 4, seed: seed)
        try p.sync(at, pages: 4)
        p.reclaim()
        p.reclaim()
        p.expect(p.presentPages(at, pages: 4), 0, "pages in memory after reclaim")
        p.expectFilled(at, pages: 4, seed: seed)
      }
    },
    ScenarioCase("kernel.truncate", "What lies behind the end of a file is zero when the file grows again.") {
      p in
      let file = try p.file(size: 3 * page)
      let at = try p.map(3, .shared, file: file)
      for offset in stride(from: 0, to: 3 * page, by: 500) { p.store(at + offset, 7) }
      try p.truncate(file, page + 100)
      p.expectSignal(.beyondEnd, .load, at + 2 * page)
      try p.truncate(file, 3 * page)
      p.expectLoad(at + 1000, 7)
      p.expectZero(at + page + 100, bytes: 2 * page - 100)
      p.expectContents(file, at: page + 100, Array(repeating: 0, count: Int(2 * page) - 100))
    },
    ScenarioCase("kernel.merge", "Pages that were merged stay apart for whoever writes to one of them.") {
      p in
      let at = try p.map(4)
      for number in 0..<4 as Range<UInt64> { p.store(at + number * page + 9, 77) }
      try p.advise(at, pages: 4, .mergeable)
      for _ in 0..<3 { try p.merge(pages: 64) }
      p.expect(p.pageMap(at).frame, p.pageMap(at + page).frame, "the frame of both pages")
      for number in 0..<4 as Range<UInt64> {
        p.store(at + number * page + 9, UInt8(number) + 1)
        for other in 0..<4 as Range<UInt64> {
          p.expectLoad(at + other * page + 9, other <= number ? UInt8(other) + 1 : 77)
        }
      }
      try p.administration.setMergeMode(.unmerge)
    },
    ScenarioCase(
      "kernel.migration",
      "A page that was written is not forgotten when it moves to another node and is reclaimed.",
      needs: Needs(swapPages: 1024, nodes: 2, hugePages: .never)
    ) { p in
      let memory = try p.map(8)
      let file = try p.file(size: 8 * page)
      let shared = try p.map(8, .shared, file: file)
      p.fill(memory, pages: 8)
      p.fill(shared, pages: 8)
      for round in 0..<2 as Range<UInt64> {
        // In swap there is an old copy already: what is stored now must replace it.
        try p.advise(memory, pages: 8, .pageOut)
        p.expectFilled(memory, pages: 8, seed: round + 1)
        p.fill(memory, pages: 8, seed: round + 2)
        p.fill(shared, pages: 8, seed: round + 2)
        let node = UInt64(p.node(memory) ?? 0)
        try p.call(
          .migratePages,
          [
            "pid": UInt64(p.pid), "nodes": 65, "from": nodes(p, node), "to": nodes(p, 1 - node),
          ])
        p.expect(p.node(memory), Int(1 - node), "the node of a page that moved")
        p.reclaim(nodes: 2)
        p.reclaim(nodes: 2)
        p.expect(p.presentPages(memory, pages: 8), 0, "pages in memory after reclaim")
        p.expectFilled(memory, pages: 8, seed: round + 2)
        p.expectFilled(shared, pages: 8, seed: round + 2)
      }
    },
    ScenarioCase(
      "kernel.softDirty",
      "Soft-dirty bits name the pages that were written since they were cleared, in swap too.",
      needs: Needs(swapPages: 256, hugePages: .never)
    ) { p in
      let at = try p.map(6)
      p.fill(at, pages: 6)
      let expectBits = { (bits: [Bool], what: String) in
        let got = bits.indices.map { p.pageMap(at + UInt64($0) * page).isSoftDirty }
        p.expect(got, bits, "soft-dirty bits \(what)")
      }
      expectBits(Array(repeating: true, count: 6), "after the first stores")
      p.clearReferences(.softDirty)
      expectBits(Array(repeating: false, count: 6), "after they were cleared")
      p.expectFilled(at, pages: 6)
      expectBits(Array(repeating: false, count: 6), "after loads")
      p.store(at + page, 91)
      p.store(at + 4 * page, 94)
      let written = [false, true, false, false, true, false]
      expectBits(written, "after two stores")
      try p.advise(at, pages: 6, .pageOut)
      p.expect(p.presentPages(at, pages: 6), 0, "pages in memory")
      expectBits(written, "in swap")
      for number in 0..<6 as Range<UInt64> { _ = p.load(at + number * page) }
      expectBits(written, "back from swap")
      p.clearReferences(.softDirty)
      p.store(at + page, 92)
      expectBits(
        [false, true, false, false, false, false], "after a store to a page that was written before")
    },
  ]
}

// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let swap = ScenarioGroup("swap", isComplete: true, swapCases)
  static let oom = ScenarioGroup("oom", isComplete: true, oomCases)
  static let tunable = ScenarioGroup("tunable", isComplete: true, tunableCases)

  private static let small = Needs(memory: 4 << 20)
  private static let frames: UInt64 = 1024

  private static let swapCases: [ScenarioCase] = [
    ScenarioCase(
      "swapon01", "With swap more memory can be used than there is, and every byte stays.", needs: small
    ) { p in
      let area = try p.swapOn(pages: 2 * frames)
      let at = try p.map(2 * frames)
      p.fill(at, pages: 2 * frames)
      p.expect(p.swappedPages > frames / 2, "pages in swap", got: "\(p.swappedPages)")
      p.expectFilled(at, pages: 64)
      p.expectFilled(at + (2 * frames - 64) * page, pages: 64, from: 2 * frames - 64)
      try p.unmap(at + 64 * page, pages: 2 * frames - 64)
      try p.swapOff(area)
      p.expectFilled(at, pages: 64)
    },
    ScenarioCase("swapon02", "An area without slots, or with more than an entry can name, is refused.") { p in
      p.expectErrno(.einval) { try p.swapOn(pages: 0) }
      p.expectErrno(.einval) { try p.swapOn(pages: 1 << 60) }
      p.expect(p.administration.usedSwap, 0, "slots in use")
    },
    ScenarioCase("swapon03", "There is a limit to areas; beyond it one more is refused until another goes.") {
      p in
      var areas: [Int] = []
      p.expectErrno(.eperm, when: "beyond the limit") {
        while areas.count < 64 { areas.append(try p.swapOn(pages: 8)) }
      }
      p.expect(areas.count >= 15, "at least 15 areas", got: "\(areas.count)")
      try p.swapOff(areas[3])
      p.expect(try p.swapOn(pages: 8), areas[3], "the number of a new area")
      p.expectErrno(.eperm) { try p.swapOn(pages: 8) }
    },
    ScenarioCase(
      "swapoff01", "swapoff brings back what is in the area, private or shared, for everybody.",
      needs: Needs(swapPages: 64)
    ) { p in
      let at = try p.map(16)
      let shared = try p.map(4, .shared)
      p.fill(at, pages: 16)
      p.fill(shared, pages: 4)
      try p.advise(at, pages: 16, .pageOut)
      try p.advise(shared, pages: 4, .pageOut)
      p.expect(p.administration.usedSwap, 20, "slots in use")
      let child = try p.fork()
      try p.swapOff()
      for member in [p, child] {
        p.expect(member.swappedPages, 0, "pages in swap")
        p.expect(member.presentPages(at, pages: 16), 16, "pages in memory")
        member.expectFilled(at, pages: 16)
        member.expectFilled(shared, pages: 4)
      }
      p.fill(at, pages: 16, seed: 99)
      child.expectFilled(at, pages: 16)
      child.exit()
    },
    ScenarioCase(
      "swapoff02", "An area that is not there, or not any more, is refused.", needs: Needs(swapPages: 8)
    ) { p in
      for number in [1, -1, 99] {
        p.expectErrno(.einval, when: "for area \(number)") { try p.swapOff(number) }
      }
      try p.swapOff()
      p.expectErrno(.einval, when: "a second time") { try p.swapOff() }
    },
    ScenarioCase(
      "swapping01", "A third more memory than there is does not send all of it to swap.",
      needs: Needs(memory: 4 << 20, swapPages: 2048)
    ) { p in
      let available = p.host.freeFrames
      let size = available * 13 / 10
      let at = try p.map(size)
      p.fill(at, pages: size)
      let swapped = p.swappedPages
      p.expect(swapped >= size - available, "what does not fit is in swap", got: "\(swapped)")
      p.expect(
        swapped < available, "fewer pages in swap than fit into memory: \(available)", got: "\(swapped)")
      p.expectFilled(at, pages: size)
    },
    ScenarioCase(
      "swap.off", "swapoff without room is refused, and nothing is lost or out of place.",
      needs: Needs(swapPages: 64)
    ) { p in
      let at = try p.map(16)
      p.fill(at, pages: 16)
      try p.advise(at, pages: 16, .pageOut)
      p.host.injectFailure(after: 3, staysBroken: true)
      p.expectErrno(.enomem) { try p.swapOff() }
      p.host.injectFailure(after: nil, staysBroken: false)
      p.expect(p.swappedPages, 16, "pages in swap")
      p.expectFilled(at, pages: 16)
    },
  ]

  /// When memory ends.
  private static let oomCases: [ScenarioCase] = [
    ScenarioCase(
      "oom01", "With strict promises a hog is refused; without, it ends, and nobody else.",
      needs: Needs(memory: 16 << 20)
    ) { p in
      // Enough for drivers whose tables take 2 MiB for each process.
      let frames: UInt64 = 4096
      p.administration.killsWhenShort = true
      let mine = try p.map(64)
      p.fill(mine, pages: 64)
      p.administration.overcommit.mode = .never
      p.administration.overcommit.pages = frames / 2
      p.administration.overcommit.keptFromProcess = 0
      let hog = try p.fork()
      p.expectErrno(.enomem, when: "for more than may be promised") { try hog.map(frames) }
      p.expect(p.administration.processes.count, 2, "processes that nobody killed")
      for mode in [OvercommitSettings.Mode.guess, .always] {
        p.administration.overcommit.mode = mode
        let hog = try p.fork()
        let at = try hog.map(frames * 3 / 4)
        for _ in 0..<2 { _ = try hog.map(frames * 3 / 4) }
        var next = at
        while case .byte = hog.access(.store, next, 1), next < at + frames * page { next += page }
        p.expect(next < at + frames * page, "memory ends")
        let more = try p.map(frames / 2)
        var count: UInt64 = 0
        while p.administration.processes.contains(hog.pid), count < frames / 2 {
          p.store(more + count * page, UInt8(truncatingIfNeeded: count))
          count += 1
        }
        p.expect(p.administration.processes.contains(hog.pid), false, "the hog is there")
        p.expectFilled(mine, pages: 64)
        p.expectLoad(more + (count - 1) * page, UInt8(truncatingIfNeeded: count - 1))
        try p.unmap(more, pages: frames / 2)
      }
      hog.expectFilled(mine, pages: 64)
      hog.exit()
    },
    ScenarioCase(
      "oom02", "Memory that is bound to a full node ends, while other nodes have some.",
      needs: Needs(memory: 16 << 20, nodes: 2, cpus: 2, hugePages: .never)
    ) { p in
      let mine = try p.map(16)
      p.fill(mine, pages: 16)
      let hog = try p.fork()
      try hog.setPolicy(Policy.bind, [1])
      let at = try hog.map(2500)
      var next = at
      while case .byte = hog.access(.store, next, 1), next < at + 2499 * page { next += page }
      p.expect(hog.access(.store, next, 1), .outOfMemory, "a store beyond the node")
      hog.expectNode(1, at, pages: 8)
      p.expect(p.administration.freeFrames(node: 0) > 100, "free frames of the other node")
      p.fill(try p.map(32), pages: 32)
      p.expectFilled(mine, pages: 16)
      hog.exit()
    },
    ScenarioCase(
      "oom03", "In a full memory group the hog ends, or is told so, and nobody outside is touched."
    ) { p in
      let mine = try p.map(64)
      p.fill(mine, pages: 64)
      let group = try p.group("a", limit: 100, joins: false)
      for kills in [true, false] {
        try p.administration.setKilling(ofGroup: group, kills)
        let (hog, member) = (try p.fork(), try p.fork())
        for program in [hog, member] { try program.join(group) }
        let at = try hog.map(200)
        var next = at
        while case .byte = hog.access(.store, next, 1), next < at + 200 * page { next += page }
        p.expect((next - at) / page < 101, "no more pages than the limit", got: "\((next - at) / page)")
        let theirs = try member.map(10)
        if kills {
          member.fill(theirs, pages: 10)
          member.expectFilled(theirs, pages: 10)
          p.expect(p.administration.processes.contains(hog.pid), false, "the hog is there")
        } else {
          p.expect(member.access(.store, theirs, 1), .outOfMemory, "a store in a full group")
          hog.exit()
          member.fill(theirs, pages: 10)
        }
        p.fill(mine, pages: 64)
        p.expectFilled(mine, pages: 64)
        member.exit()
      }
    },
    ScenarioCase(
      "oom.badness", "Who would be ended is who has most pages, in memory or in swap.",
      needs: Needs(swapPages: 256)
    ) { p in
      let child = try p.fork()
      p.fill(try p.map(100), pages: 100)
      let at = try child.map(200)
      child.fill(at, pages: 200)
      p.expect(p.administration.badness(child.pid) > p.administration.badness(1), "the child has more")
      let before = p.administration.badness(child.pid)
      try child.advise(at, pages: 200, .pageOut)
      p.expect(p.administration.badness(child.pid), before, "the same with pages in swap")
      child.exit()
    },
  ]

  /// Limits that an administrator sets.
  private static let tunableCases: [ScenarioCase] = [
    ScenarioCase("max_map_count", "Exactly as many areas as the limit says can be made, and then none.") {
      p in
      for limit in [16, 64, 256] {
        p.administration.maximumAreas = limit
        p.expectErrno(.enomem, when: "at the limit of \(limit)") {
          while p.areas.count <= limit { _ = try p.map(1, .shared, bytes: 1) }
        }
        p.expect(p.areas.count, limit, "areas")
      }
      let one = p.areas[100].range.start.raw
      try p.unmap(one)
      p.expectSuccess("mapping when another is gone") { try p.map(1, .shared) }
    },
    ScenarioCase(
      "min_free_kbytes", "While memory is eaten, background reclaim keeps the floor free.",
      needs: Needs(memory: 8 << 20, swapPages: 2560, hugePages: .never)
    ) { p in
      // min_free_kbytes is four times the root of KiB of memory.
      let kibibytes = UInt64(8 << 10)
      let floor = UInt64(Double(kibibytes * 16).squareRoot()) / 4
      for mode in OvercommitSettings.Mode.allCases {
        p.administration.overcommit.mode = mode
        p.administration.overcommit.pages = 8192
        p.administration.overcommit.keptFromProcess = 0
        let at = try p.map(2100, flags: .noReserve)
        var least = UInt64.max
        for number in 0..<2100 as Range<UInt64> {
          p.store(at + number * page, UInt8(truncatingIfNeeded: number))
          least = min(least, p.host.freeFrames)
        }
        p.expect(least >= floor * 9 / 10, "at least 90 percent of \(floor) free frames", got: "\(least)")
        p.expectLoad(at + 300 * page, 44)
        try p.unmap(at, pages: 2100)
      }
    },
  ]
}

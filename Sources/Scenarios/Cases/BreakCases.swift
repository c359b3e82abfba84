// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let brk = ScenarioGroup("brk", isComplete: true, brkCases)
  static let mseal = ScenarioGroup("mseal", isComplete: true, msealCases)

  private static let brkCases: [ScenarioCase] = [
    ScenarioCase(
      "brk01", "The break goes to exactly the byte that is asked for, and memory up to it can be used."
    ) { p in
      let start = try p.setBreak(0)
      let step = 2 * page - 1
      for round in 0..<33 as Range<UInt64> {
        let goal: UInt64
        switch round % 3 {
        case 0: goal = start + step * (1 + round / 3)
        case 1: goal = start
        default: goal = start + step
        }
        p.expect(try p.setBreak(goal), goal, "the break in round \(round)")
        p.expect(try p.setBreak(0), goal, "the break that is asked for in round \(round)")
        if goal > start {
          p.expectLoad(goal - 1, 0)
          p.store(start, UInt8(round))
          p.store(goal - 1, UInt8(round))
        }
        let end = (goal + page - 1) / page * page
        p.expectSignal(.unmapped, .load, end)
      }
    },
    ScenarioCase("sbrk01", "The break can be asked for, moved up and moved back down.") { p in
      let start = try p.setBreak(0)
      p.expect(p.areas.count, 0, "areas")
      p.expect(try p.setBreak(start + 8192), start + 8192, "the break")
      p.expectLayout(start, [.area(2), .hole(1)])
      p.fill(start, pages: 2)
      p.expect(try p.setBreak(start), start, "the break")
      p.expect(p.areas.count, 0, "areas")
      p.expectSignal(.unmapped, .load, start)
      try p.setBreak(start + page)
      p.expectZero(start)
    },
    ScenarioCase("sbrk02", "At the limit of data or of addresses the break stays where it is.") { p in
      let start = try p.setBreak(0)
      try p.setLimit(.data, (1 << 20) + 16 * page)
      p.expect(p.mappedPages, 16, "pages of other data, which count")
      var size: UInt64 = page
      while try p.setBreak(start + size) == start + size { size *= 2 }
      p.expect(size, 2 << 20, "the first size that is refused")
      p.expect(try p.setBreak(0), start + size / 2, "the break")
      p.expectAllowed(.store, start + size / 2 - 1)
      try p.setLimit(.data, .max)
      try p.setLimit(.addressSpace, (p.mappedPages + 8) * page)
      p.expect(try p.setBreak(start + (1 << 20) + 9 * page), start + (1 << 20), "the break, which stays")
      let last = start + (1 << 20) + 8 * page
      p.expect(try p.setBreak(last), last, "the break at the limit")
    },
    ScenarioCase("sbrk03", "A break that cannot be leaves everything as it was.") { p in
      let start = try p.setBreak(0)
      try p.setBreak(start + 4 * page)
      p.fill(start, pages: 4)
      let other = try p.map(1, at: start + 64 * page)
      for wish in [1, start - 1, other + 6 * page, p.host.userEnd, p.host.userEnd + page, .max] {
        p.expect(try p.setBreak(wish), start + 4 * page, "the break after \(wish.text)")
      }
      p.expectLayout(start, [.area(4), .hole(1)])
      p.expectFilled(start, pages: 4)
    },
    ScenarioCase(
      "brk.neighbour", "The heap stops a page before the next mapping, and a guard gap before a stack."
    ) { p in
      let start = try p.setBreak(0)
      let other = try p.map(2, at: start + 16 * page)
      p.store(other, 7)
      p.expect(try p.setBreak(start + 17 * page), start, "the break, which stays")
      p.expect(try p.setBreak(other), start, "the break, which stays")
      p.expect(try p.setBreak(other - page + 1), start, "the break, which stays")
      p.expect(try p.setBreak(other - page), other - page, "the break")
      p.expectLoad(other, 7)
      try p.unmap(other, pages: 2)
      let stack = try p.map(1, at: start + 400 * page, flags: .growsDown)
      p.expect(try p.setBreak(stack - 256 * page), other - page, "the break, which stays")
      p.expect(try p.setBreak(stack - 257 * page), stack - 257 * page, "the break")
    },
    ScenarioCase("brk.fork", "A child has the break of its parent, and moves its own.") { p in
      let start = try p.setBreak(0)
      try p.setBreak(start + 2 * page)
      p.fill(start, pages: 2)
      try p.inChild { child in
        child.expect(try child.setBreak(0), start + 2 * page, "the child's break")
        try child.setBreak(start)
        child.expectSignal(.unmapped, .load, start)
      }
      p.expect(try p.setBreak(0), start + 2 * page, "the break")
      p.expectFilled(start, pages: 2)
    },
  ]

  private static let msealCases: [ScenarioCase] = [
    ScenarioCase(
      "mseal02", "Flags, addresses inside a page, overflows and holes are refused; nothing is sealed."
    ) { p in
      let at = try p.map(4)
      try p.unmap(at + 2 * page)
      p.expectErrno(.einval, when: "for flags") { try p.seal(at, flags: 1) }
      p.expectErrno(.einval, when: "inside a page") { try p.seal(at + 1) }
      p.expectErrno(.einval, when: "for a length that overflows") { try p.seal(at, bytes: .max) }
      p.expectErrno(.einval, when: "over the end of addresses") {
        try p.seal(at, bytes: 0 &- at - page + 2 * page)
      }
      p.expectErrno(.enomem, when: "for a start that is not mapped") { try p.seal(at - page, pages: 2) }
      p.expectErrno(.enomem, when: "for an end that is not mapped") { try p.seal(at + 3 * page, pages: 2) }
      p.expectErrno(.enomem, when: "over a hole") { try p.seal(at, pages: 4) }
      p.expectSuccess("sealing nothing") { try p.seal(at, pages: 0) }
      p.expectSuccess("unmapping, as nothing is sealed") { try p.unmap(at, pages: 4) }
    },
    ScenarioCase("mseal.keeps", "A sealed mapping cannot be unmapped, replaced, moved or changed, but used.")
    { p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      try p.seal(at + page, pages: 2)
      p.expectErrno(.eperm, when: "to unmap") { try p.unmap(at, pages: 4) }
      p.expectErrno(.eperm, when: "to replace") { try p.map(1, at: at + page) }
      p.expectErrno(.eperm, when: "to change rights") { try p.protect(at + page, pages: 3, .read) }
      p.expectErrno(.eperm, when: "to move") {
        try p.remap(at + page, pages: 1, newPages: 1, to: 0x40_0000_0000)
      }
      p.expectErrno(.eperm, when: "to shrink") { try p.remap(at + page, pages: 2, newPages: 1) }
      p.expectSuccess("sealing twice") { try p.seal(at + page, pages: 2) }
      p.expectLayout(at, [.area(1), .area(2), .area(1)])
      p.fill(at, pages: 4, seed: 30)
      p.expectFilled(at, pages: 4, seed: 30)
      try p.inChild { child in
        child.expectErrno(.eperm, when: "to unmap in a child") { try child.unmap(at + page) }
      }
      try p.unmap(at)
      try p.unmap(at + 3 * page)
      p.expectLayout(at, [.hole(1), .area(2), .hole(1)])
    },
    ScenarioCase("mseal.drop", "Contents of sealed memory that may not be written cannot be dropped.") { p in
      let at = try p.map(2)
      p.fill(at, pages: 2)
      try p.protect(at, pages: 2, .read)
      try p.seal(at, pages: 2)
      for advice in [Advice.dontNeed, .free, .dontFork, .wipeOnFork] {
        p.expectErrno(.eperm, when: "for \(advice)") { try p.advise(at, pages: 2, advice) }
      }
      p.expectSuccess("MADV_COLD") { try p.advise(at, pages: 2, .cold) }
      p.expectFilled(at, pages: 2)
      let writable = try p.map(1)
      try p.seal(writable)
      p.store(writable, 1)
      p.expectSuccess("dropping sealed memory that may be written") { try p.advise(writable, .dontNeed) }
      p.expectLoad(writable, 0)
    },
  ]
}

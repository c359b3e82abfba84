// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let shmt = ScenarioGroup("shmt", isComplete: true, shmtCases)

  private static let shmtCases: [ScenarioCase] = [
    ScenarioCase("shmt02", "A removed segment lives until its last detach; its key gives a fresh one.") { p in
      let segment = try p.segment(key: 77, bytes: page)
      let child = try p.fork()
      let at = try child.attach(segment)
      child.store(at, "kept")
      try p.removeSegment(segment)
      child.expectLoads(at, "kept")
      let fresh = try p.segment(key: 77, bytes: page)
      p.expect(fresh != segment, "another segment")
      let other = try p.attach(fresh)
      p.expectZero(other)
      try child.detach(at)
      child.expectSignal(.unmapped, .load, at)
      p.expectErrno(.einval, when: "to attach what is gone") { try p.attach(segment) }
      child.exit()
      try p.detach(other)
      try p.removeSegment(fresh)
    },
    ScenarioCase("shmt03", "A segment attached twice shows the same bytes at both addresses.") { p in
      let segment = try p.segment(bytes: 4 * page)
      let first = try p.attach(segment)
      p.fill(first, pages: 4)
      let second = try p.attach(segment)
      p.expect(first != second, "two addresses")
      p.expectFilled(second, pages: 4)
      p.store(second + 5, 55)
      p.expectLoad(first + 5, 55)
      try p.detach(first)
      p.expectSignal(.unmapped, .load, first)
      p.expectFilled(second, pages: 4)
      try p.removeSegment(segment)
    },
    ScenarioCase("shmt04", "A child that attaches sees the bytes at each of its addresses.") { p in
      let segment = try p.segment(bytes: 2 * page)
      let at = try p.attach(segment)
      p.store(at, "from the parent")
      try p.inChild { child in
        let first = try child.attach(segment)
        let second = try child.attach(segment, at: 0x40_0000_0000)
        child.expectLoads(first, "from the parent")
        child.expectLoads(second, "from the parent")
        child.store(second + page, 21)
      }
      p.expectLoad(at + page, 21)
      try p.removeSegment(segment)
    },
    ScenarioCase(
      "shmt05", "A segment is not attached inside a page, nor over anything unless that is wanted."
    ) { p in
      let segment = try p.segment(bytes: 2 * page)
      let other = try p.segment(bytes: 2 * page)
      let at = try p.attach(segment)
      p.store(at, 1)
      p.store(at + page, 2)
      p.expectErrno(.einval, when: "inside a page") { try p.attach(other, at: at + 8) }
      for place in [at, at + page, at - page] {
        p.expectErrno(.einval, when: "over another") { try p.attach(other, at: place) }
      }
      p.expectErrno(.einval, when: "to replace nothing certain") { try p.attach(other, flags: 0o40000) }
      let rounded = try p.attach(other, at: 0x40_0000_0008, flags: 0o20000)
      p.expect(rounded, 0x40_0000_0000, "the address rounded down")
      p.expect(try p.attach(other, at: at + page, flags: 0o40000), at + page, "the replaced address")
      p.expectLoad(at, 1)
      p.expectLoad(at + page, 0)
      for segment in [segment, other] { try p.removeSegment(segment) }
    },
    ScenarioCase("shmt07", "A child inherits the attachment, and both see what the other stores.") { p in
      let segment = try p.segment(bytes: 2 * page)
      let at = try p.attach(segment)
      p.fill(at, pages: 2)
      try p.inChild { child in
        child.expectFilled(at, pages: 2)
        child.store(at, 90)
        try child.detach(at)
      }
      p.expectLoad(at, 90)
      try p.detach(at)
      let again = try p.attach(segment)
      p.expectLoad(again, 90)
      try p.removeSegment(segment)
    },
    ScenarioCase("shmt08", "Each attachment is detached once, by its own address.") { p in
      let segment = try p.segment(bytes: 3 * page)
      let first = try p.attach(segment)
      let second = try p.attach(segment)
      p.expectErrno(.einval, when: "inside the attachment") { try p.detach(first + page) }
      try p.detach(first)
      p.expectLayout(first, [.hole(3)])
      p.expectErrno(.einval, when: "for the second time") { try p.detach(first) }
      try p.detach(second)
      p.expect(p.mappedPages, 0, "mapped pages")
      try p.removeSegment(segment)
    },
    ScenarioCase("shmt09", "Nothing is attached inside the heap, and the heap does not grow over a segment.")
    { p in
      let segment = try p.segment(bytes: 2 * page)
      let start = try p.setBreak(0)
      try p.setBreak(start + 8 * page)
      p.fill(start, pages: 8)
      p.expectErrno(.einval, when: "inside the heap") { try p.attach(segment, at: start + 7 * page) }
      let at = try p.attach(segment, at: start + 10 * page)
      p.expect(try p.setBreak(start + 11 * page), start + 8 * page, "the break, which stays")
      p.expect(try p.setBreak(start + 9 * page), start + 9 * page, "the break below the segment")
      p.expectLoad(at, 0)
      p.expectFilled(start, pages: 8)
      try p.removeSegment(segment)
    },
    ScenarioCase(
      "shmt10", "Two processes that attach, store and detach again and again lose nothing.",
      needs: Needs(cpus: 2)
    ) { p in
      let segment = try p.segment(bytes: 4 * page)
      let child = try p.fork()
      child.run(on: 1)
      for round in 0..<40 as Range<UInt64> {
        let mine = try p.attach(segment)
        let theirs = try child.attach(segment)
        p.store(mine + round, UInt8(round) + 1)
        child.store(theirs + page + round, UInt8(round) + 100)
        if round > 0 {
          p.expectLoad(mine + page + round - 1, UInt8(round) + 99)
          child.expectLoad(theirs + round - 1, UInt8(round))
        }
        try p.detach(mine)
        try child.detach(theirs)
      }
      child.exit()
      try p.removeSegment(segment)
    },
    ScenarioCase("shmt.gone", "Unmapping or replacing the last attachment of a removed segment ends it too.")
    { p in
      for replaces in [false, true] {
        let segment = try p.segment(bytes: 2 * page)
        let at = try p.attach(segment)
        p.fill(at, pages: 2)
        try p.removeSegment(segment)
        try p.unmap(at)
        p.expectFilled(at + page, pages: 1, from: 1)
        if replaces { _ = try p.map(1, at: at + page) } else { try p.unmap(at + page) }
        p.expect(p.administration.segments.count, 0, "segments")
      }
    },
  ]
}

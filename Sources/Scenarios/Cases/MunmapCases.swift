// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let munmap = ScenarioGroup("munmap", isComplete: true, munmapCases)

  private static let munmapCases: [ScenarioCase] = [
    ScenarioCase("munmap01", "What is unmapped, whole or in part, cannot be stored to, in a child neither.") {
      p in
      let file = try p.file(size: 3 * page)
      for kept in [0, 1] as [UInt64] {
        let at = try p.map(3, .shared, file: file)
        p.fill(at, pages: 3)
        try p.unmap(at + kept * page, pages: 3 - kept)
        p.expectSignal(.unmapped, .store, at + kept * page)
        try p.inChild { child in
          child.expectSignal(.unmapped, .store, at + kept * page)
          child.expectSignal(.unmapped, .load, at + 2 * page)
          child.expectFilled(at, pages: kept)
        }
        let again = try p.map(3, .shared, file: file)
        p.expectFilled(again, pages: 3)
      }
    },
    ScenarioCase("munmap03", "Addresses of nobody, no length and addresses inside a page are invalid.") { p in
      let at = try p.map(2)
      p.fill(at, pages: 2)
      p.expectErrno(.einval, when: "behind user addresses") { try p.unmap(p.host.userEnd) }
      p.expectErrno(.einval, when: "over the end of user addresses") {
        try p.unmap(p.host.userEnd - page, pages: 2)
      }
      p.expectErrno(.einval, when: "for no length") { try p.unmap(at, bytes: 0) }
      p.expectErrno(.einval, when: "inside a page") { try p.unmap(at + 1) }
      p.expectLayout(at, [.area(2)])
      p.expectFilled(at, pages: 2)
    },
    ScenarioCase("munmap.holes", "Unmapping goes over holes, and a length counts by whole pages.") { p in
      let at = try p.map(6)
      p.fill(at, pages: 6)
      try p.unmap(at + page, pages: 2)
      try p.unmap(at, bytes: 3 * page + 1)
      p.expectLayout(at, [.hole(4), .area(2)])
      p.expectFilled(at + 4 * page, pages: 2, from: 4)
      p.expectSuccess("unmapping nothing") { try p.unmap(at, pages: 4) }
    },
    ScenarioCase("munmap.huge", "Unmapping a part of a huge page leaves the rest and its contents.") { p in
      let at = try p.map(1024, at: 0x80_0000_0000)
      p.fill(at, pages: 1024)
      try p.unmap(at + 100 * page, pages: 3)
      p.expectLayout(at, [.area(100), .hole(3), .area(921)])
      p.expectFilled(at, pages: 100)
      p.expectFilled(at + 103 * page, pages: 921, from: 103)
      for number in 100..<103 as Range<UInt64> { p.expectSignal(.unmapped, .load, at + number * page) }
      p.expect(p.residentPages, 1021, "pages in memory")
    },
    ScenarioCase("munmap.private", "Private changes of a file are gone with the mapping.") { p in
      let file = try p.file("original")
      let at = try p.map(1, file: file)
      p.store(at, "modified")
      p.expectLoads(at, "modified")
      try p.unmap(at)
      let again = try p.map(1, file: file)
      p.expectLoads(again, "original")
      p.expectContents(file, "original")
    },
  ]
}

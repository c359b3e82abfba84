// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mremap = ScenarioGroup("mremap", isComplete: true, mremapCases, mremapOwnCases)

  private static let mremapCases: [ScenarioCase] = [
    ScenarioCase("mremap01", "A mapping of a file grows to twice its size, and all of it reaches the file.") {
      p in
      let file = try p.file(size: 1000 * page)
      let at = try p.map(1000, .shared, file: file, protection: .write)
      p.fill(at, pages: 1000)
      try p.truncate(file, 2000 * page)
      let new = try p.remap(at, pages: 1000, newPages: 2000)
      p.expectLayout(new, [.area(2000, .write, shared: true, offset: 0)])
      for number in stride(from: 1000, to: 2000, by: 9) as StrideTo<UInt64> {
        p.store(new + number * page + number, UInt8(truncatingIfNeeded: number) | 1)
      }
      try p.sync(new, pages: 2000)
      p.expectFilled(new, pages: 1000)
      for number in stride(from: 1000, to: 2000, by: 9) as StrideTo<UInt64> {
        p.expectContents(file, at: number * page + number, [UInt8(truncatingIfNeeded: number) | 1])
      }
    },
    ScenarioCase("mremap02", "An old address inside a page is refused, whatever is there.") { p in
      p.expectErrno(.einval) { try p.remap(page - 1, pages: 1, newPages: 2) }
      let at = try p.map(2)
      p.expectErrno(.einval) { try p.remap(at + 1, pages: 1, newPages: 2) }
      p.expectLayout(at, [.area(2)])
    },
    ScenarioCase("mremap03", "An old range that is not mapped as a whole is refused.") { p in
      let at = try p.map(1, protection: [])
      p.expectErrno(.efault, when: "behind the mapping") { try p.remap(at, pages: 1000, newPages: 2000) }
      p.expectErrno(.efault, when: "where nothing is mapped") {
        try p.remap(at - page, pages: 1, newPages: 2)
      }
      p.expectLayout(at, [.area(1, [])])
    },
    ScenarioCase("mremap04", "A mapping that cannot grow where it is stays, unless it may move.") { p in
      let segment = try p.segment(bytes: 2 * page)
      let at = try p.attach(segment)
      p.store(at, "segment")
      p.expectErrno(.enomem) { try p.remap(at, pages: 1, newPages: 2, mayMove: false) }
      p.expectLayout(at, [.area(2, shared: true, offset: 0)])
      let memory = try p.map(2)
      p.store(memory, 1)
      p.expectErrno(.enomem) { try p.remap(memory, pages: 1, newPages: 3, mayMove: false) }
      let new = try p.remap(memory, pages: 1, newPages: 3)
      p.expect(new != memory, "the mapping moves")
      p.expectLoad(new, 1)
      p.expectSignal(.unmapped, .load, memory)
      try p.detach(at)
      try p.removeSegment(segment)
    },
  ]

  private static let mremapOwnCases: [ScenarioCase] = [
    ScenarioCase(
      "mremap.fixed", "MREMAP_FIXED needs a good target that does not overlap, and replaces what is there."
    ) { p in
      let at = try p.map(4, at: 0x40_0000_0000)
      let other = try p.map(4, at: 0x50_0000_0000)
      p.fill(at, pages: 2)
      p.fill(other, pages: 4, seed: 50)
      p.expectErrno(.einval, when: "without MREMAP_MAYMOVE") {
        try p.remap(at, pages: 2, newPages: 2, mayMove: false, to: other)
      }
      p.expectErrno(.einval, when: "inside a page") { try p.remap(at, pages: 2, newPages: 2, to: other + 1) }
      for place in [at, at + page, at - page] {
        p.expectErrno(.einval, when: "over itself") { try p.remap(at, pages: 2, newPages: 2, to: place) }
      }
      p.expectErrno(.einval, when: "behind user addresses") {
        try p.remap(at, pages: 2, newPages: 2, to: p.host.userEnd - page)
      }
      p.expectFilled(at, pages: 2)
      p.expect(try p.remap(at, pages: 2, newPages: 2, to: other + page), other + page, "the new address")
      p.expectFilled(other + page, pages: 2)
      p.expectFilled(other, pages: 1, seed: 50)
      p.expectFilled(other + 3 * page, pages: 1, seed: 50, from: 3)
      p.expectLayout(at, [.hole(2), .area(2)])
    },
    ScenarioCase(
      "mremap.back", "A piece of a file's mapping that moves away and back is one area with the rest."
    ) { p in
      let file = try p.file(size: 3 * page)
      for number in 0..<3 as Range<UInt64> { try p.write(file, at: number * page, [UInt8(number) + 65]) }
      let at = try p.map(3, .shared, file: file)
      let moved = try p.remap(at + 2 * page, pages: 1, newPages: 1, to: 0x40_0000_0000)
      p.expectLayout(at, [.area(2, shared: true, offset: 0), .hole(1)])
      p.expectLayout(moved, [.area(1, shared: true, offset: 2 * page)])
      p.expectLoad(moved, 67)
      try p.remap(moved, pages: 1, newPages: 1, to: at + 2 * page)
      p.expectLayout(at, [.area(3, shared: true, offset: 0)])
      for number in 0..<3 as Range<UInt64> { p.expectLoad(at + number * page, UInt8(number) + 65) }
    },
    ScenarioCase("mremap.shrink", "Less room takes the end away; in place, or at a new address.") { p in
      let at = try p.map(6)
      p.fill(at, pages: 6)
      p.expect(try p.remap(at, pages: 6, newPages: 4, mayMove: false), at, "the address")
      p.expectLayout(at, [.area(4), .hole(2)])
      p.expectSignal(.unmapped, .load, at + 4 * page)
      let new = try p.remap(at, pages: 4, newPages: 3, to: 0x40_0000_0000)
      p.expectLayout(at, [.hole(6)])
      p.expectLayout(new, [.area(3), .hole(1)])
      p.expectFilled(new, pages: 3)
      p.expectErrno(.einval, when: "for no length") { try p.remap(new, pages: 3, newPages: 0) }
    },
    ScenarioCase(
      "mremap.duplicate", "An old length of 0 maps shared memory a second time, and private memory not."
    ) { p in
      let at = try p.map(3, .shared)
      p.fill(at, pages: 3)
      let second = try p.remap(at + page, pages: 0, newPages: 2)
      p.expectFilled(second, pages: 2, from: 1)
      p.store(second, 99)
      p.expectLoad(at + page, 99)
      p.expectLayout(at, [.area(3, shared: true)])
      let own = try p.map(2)
      p.expectErrno(.einval) { try p.remap(own, pages: 0, newPages: 2) }
    },
    ScenarioCase("mremap.keep", "MREMAP_DONTUNMAP takes the pages along and leaves empty addresses behind.") {
      p in
      let at = try p.map(4)
      p.fill(at, pages: 4)
      let new = try p.remap(at, pages: 4, newPages: 4, keepsOld: true)
      p.expectFilled(new, pages: 4)
      p.expectLayout(at, [.area(4)])
      p.expectZero(at, bytes: 4 * page)
      p.fill(at, pages: 4, seed: 80)
      p.expectFilled(new, pages: 4)
      p.expectErrno(.einval, when: "for another length") {
        try p.remap(at, pages: 4, newPages: 5, keepsOld: true)
      }
    },
    ScenarioCase(
      "mremap.several", "A move without a change of length takes several areas and the holes along."
    ) { p in
      let at = try p.map(6, at: 0x40_0000_0000)
      p.fill(at, pages: 6)
      try p.protect(at + page, .read)
      try p.unmap(at + 3 * page)
      let new: UInt64 = 0x50_0000_0000
      let there = try p.map(6, at: new)
      p.fill(there, pages: 6, seed: 90)
      p.expect(try p.remap(at, pages: 6, newPages: 6, to: new), new, "the new address")
      p.expectLayout(at, [.hole(6)])
      p.expectFilled(new, pages: 3)
      p.expectFilled(new + 4 * page, pages: 2, from: 4)
      p.expectSignal(.forbidden, .store, new + page)
      p.expectErrno(.efault, when: "for a new length") { try p.remap(new, pages: 6, newPages: 7, to: at) }
    },
    ScenarioCase(
      "mremap.huge", "Huge pages move with their contents, to addresses aligned like them and others."
    ) { p in
      let at = try p.map(1024, at: 0x80_0000_0000)
      p.fill(at, pages: 1024)
      let aligned = try p.remap(at, pages: 1024, newPages: 1024, to: 0x81_0000_0000)
      p.expectFilled(aligned, pages: 1024)
      let other = try p.remap(aligned, pages: 1024, newPages: 1024, to: 0x82_0000_0000 + 3 * page)
      p.expectFilled(other, pages: 1024)
      p.expectSignal(.unmapped, .load, aligned)
      let part = try p.remap(other + 600 * page, pages: 10, newPages: 20, to: 0x83_0000_0000)
      p.expectFilled(part, pages: 10, from: 600)
      p.expectZero(part + 10 * page, bytes: 10 * page)
      p.expectFilled(other, pages: 600)
    },
  ]
}

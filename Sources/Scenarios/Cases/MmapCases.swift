// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mmap = ScenarioGroup("mmap", isComplete: true, mmapFiles, mmapPlaces, mmapMemory)

  /// Where mappings go, and what the layout says of them.
  private static let mmapPlaces: [ScenarioCase] = [
    ScenarioCase("mmap04", "The layout shows exactly the rights and the sharing that were asked for.") { p in
      for sharing in [Sharing.private, .shared] {
        let rights: [Rights] = [
          [], .read, .write, [.read, .write], [.read, .execute], [.write, .execute],
          [.read, .write, .execute],
        ]
        for wanted in rights {
          let at = try p.map(2, sharing == .private ? .shared : .private, protection: [])
          _ = try p.map(1, sharing, at: at + page, protection: wanted)
          let isShared = sharing == .shared
          p.expectLayout(at, [.area(1, [], shared: !isShared), .area(1, wanted, shared: isShared)])
          try p.unmap(at, pages: 2)
        }
      }
    },
    ScenarioCase("mmap15", "Nothing is mapped behind the last user address.") { p in
      p.expectErrno(.enomem, .einval) { try p.map(1, at: 0 &- page) }
      p.expectErrno(.enomem) { try p.map(1, at: p.host.userEnd) }
      p.expectErrno(.enomem) { try p.map(2, at: p.host.userEnd - page) }
      p.expect(p.mappedPages, 0, "mapped pages")
      let last = try p.map(1, at: p.host.userEnd - page)
      p.fill(last, pages: 1)
      p.expectFilled(last, pages: 1)
    },
    ScenarioCase("mmap17", "MAP_FIXED_NOREPLACE never replaces, not even in part.") { p in
      let first = try p.file("the first file", size: 2 * page)
      let second = try p.file("the second file", size: 2 * page)
      let at = try p.map(2, .shared, file: first)
      for place in [at, at + page, at - page] {
        p.expectErrno(.eexist, when: "at \(place.text)") {
          try p.map(2, .shared, file: second, at: place, flags: .fixedNoReplace)
        }
      }
      p.expectLoads(at, "the first file")
      p.expectLayout(at - 2 * page, [.hole(2), .area(2, shared: true, offset: 0)])
      let below = try p.map(2, .shared, file: second, at: at - 2 * page, flags: .fixedNoReplace)
      p.expect(below, at - 2 * page, "where the free place is taken")
      p.expectLoads(below, "the second file")
    },
    ScenarioCase(
      "mmap18", "A stack grows on a fault below it, but not near another mapping or behind its limit."
    ) { p in
      let top: UInt64 = 0x20_0000_0000
      let stack = try p.map(1, at: top, flags: [.growsDown, .stack])
      p.store(stack - 5 * page, 5)
      p.expectLayout(stack - 5 * page, [.area(6)])
      _ = try p.map(1, at: top - 300 * page)
      let nearest = top - 299 * page + 256 * page
      p.expectSignal(.unmapped, .store, nearest - page)
      p.expectLayout(stack - 5 * page, [.area(6)])
      p.store(nearest, 6)
      p.expectLoad(nearest, 6)
      let other = try p.map(1, at: top + (1 << 30), flags: .growsDown)
      try p.setLimit(.stack, 16 * page)
      p.expectAllowed(.store, other - 15 * page)
      p.expectSignal(.unmapped, .store, other - 16 * page)
      try p.inChild { $0.expectSignal(.unmapped, .load, other - 16 * page) }
    },
    ScenarioCase("mmap.hint", "A hint is taken where there is room, and never replaces anything.") { p in
      let at = try p.map(2, near: 0x30_0000_0000)
      p.expect(at, 0x30_0000_0000, "the address of a free hint")
      p.store(at, 7)
      let other = try p.map(2, near: at + page)
      p.expect(other + 2 * page <= at || other >= at + 2 * page, "another place for a hint that is taken")
      p.expectLoad(at, 7)
      p.expect(try p.map(1, near: 0) != 0, "no mapping at address 0")
    },
    ScenarioCase(
      "mmap.replace", "MAP_FIXED replaces what was there, contents included, and nothing beside it."
    ) { p in
      let at = try p.map(5)
      p.fill(at, pages: 5)
      _ = try p.map(2, at: at + page, protection: .read)
      p.expectLayout(at, [.area(1), .area(2, .read), .area(2)])
      p.expectZero(at + page, bytes: 2 * page)
      p.expectFilled(at, pages: 1)
      p.expectFilled(at + 3 * page, pages: 2, from: 3)
    },
    ScenarioCase("mmap.join", "Neighbours that are alike become one area, others do not.") { p in
      let at = try p.map(1, at: 0x40_0000_0000)
      _ = try p.map(1, at: at + page)
      _ = try p.map(1, at: at + 2 * page, protection: .read)
      _ = try p.map(1, .shared, at: at + 3 * page)
      p.expectLayout(at, [.area(2), .area(1, .read), .area(1, shared: true)])
      try p.protect(at + 2 * page, [.read, .write])
      p.expectLayout(at, [.area(3), .area(1, shared: true)])
    },
  ]

  /// Memory without a file: locked, populated, droppable, shared with children.
  private static let mmapMemory: [ScenarioCase] = [
    ScenarioCase("mmap10", "Children and parent unmap the second half of a large forked area.") { p in
      let at = try p.map(2560)
      try p.advise(at, pages: 2560, .mergeable)
      p.store(at + page, 9)
      for _ in 0..<3 {
        try p.inChild { child in
          try child.unmap(at + 1280 * page, pages: 1280)
          child.expectLoad(at + page, 9)
          child.expectSignal(.unmapped, .load, at + 1280 * page)
          child.expectAllowed(.store, at + 1279 * page)
        }
      }
      p.expectAllowed(.load, at + 2559 * page)
      try p.unmap(at + 1280 * page, pages: 1280)
      p.expectLayout(at, [.area(1280), .hole(1280)])
      p.expectLoad(at + page, 9)
    },
    ScenarioCase("mmap11", "At the limit of areas a whole area, a thread's stack say, can still be unmapped.")
    { p in
      p.administration.maximumAreas = 32
      let stack = try p.map(25, at: 0x50_0000_0000)
      let whole = try p.map(3, at: 0x60_0000_0000)
      var at: UInt64 = 0x70_0000_0000
      while p.areas.count < 32 {
        _ = try p.map(1, at: at)
        at += 2 * page
      }
      p.expectErrno(.enomem, when: "at the limit") { try p.map(1, at: at) }
      p.expectErrno(.enomem, when: "for a hole in an area") { try p.unmap(whole + page) }
      p.expectLayout(whole, [.area(3)])
      p.expectSuccess("unmapping the stack") { try p.unmap(stack, pages: 25) }
      p.expectSuccess("a hole in an area, now that there is room") { try p.unmap(whole + page) }
      p.expectLayout(whole, [.area(1), .hole(1), .area(1)])
    },
    ScenarioCase("mmap14", "MAP_LOCKED locks exactly what is mapped, and brings it in.") { p in
      _ = try p.map(4)
      let before = p.lockedPages
      let at = try p.map(256, flags: .locked)
      p.expect(p.lockedPages - before, 256, "more locked pages")
      p.expect(p.presentPages(at, pages: 256), 256, "pages in memory before any access")
      try p.unmap(at, pages: 100)
      p.expect(p.lockedPages - before, 156, "more locked pages")
    },
    ScenarioCase(
      "mmap.droppable", "Droppable memory is read and written like any, and children find it zeroed."
    ) { p in
      let at = try p.map(16, .droppable)
      p.fill(at, pages: 16)
      p.expectFilled(at, pages: 16)
      try p.inChild { $0.expectZero(at, bytes: 16 * page) }
      let zeroes = try p.file(size: page)
      p.expectErrno(.einval, when: "for a file") { try p.map(1, .droppable, file: zeroes) }
    },
  ]
}

// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mlock = ScenarioGroup("mlock", isComplete: true, mlockCases)
  static let mlock2 = ScenarioGroup("mlock2", isComplete: true, mlock2Cases)
  static let munlock = ScenarioGroup("munlock", isComplete: true, munlockCases)

  private static let mlockCases: [ScenarioCase] = [
    ScenarioCase("mlock01", "Any length can be locked from any address: whole pages are, and they come in.") {
      p in
      let at = try p.map(300)
      for (bytes, pages) in [(1, 1), (1024, 1), (4097, 2), (1 << 20, 257)] as [(UInt64, UInt64)] {
        let start = bytes == 1 << 20 ? at + 100 : at
        try p.lock(start, bytes: bytes)
        p.expect(p.lockedPages, pages, "locked pages after \(bytes) bytes")
        p.expect(p.presentPages(at, pages: pages), pages, "pages in memory after \(bytes) bytes")
        try p.unlock(at, pages: 300)
      }
      p.expectLayout(at, [.area(300)])
    },
    ScenarioCase("mlock02", "Holes, too much and no right to lock at all are refused.") { p in
      let at = try p.map(4)
      try p.unmap(at + 2 * page, pages: 2)
      p.expectErrno(.enomem, when: "where nothing is mapped") { try p.lock(at + 2 * page) }
      p.expectErrno(.enomem, when: "over a hole") { try p.lock(at, pages: 3) }
      p.expect(p.lockedPages, 2, "pages before the hole, which are locked")
      try p.unlockAll()
      p.expectErrno(.einval, when: "over the end of addresses") { try p.lock(at, bytes: 0 &- at) }
      try p.setLimit(.lockedMemory, page)
      p.expectErrno(.enomem, when: "above the limit") { try p.lock(at, pages: 2) }
      p.expectSuccess("locking as much as the limit") { try p.lock(at) }
      try p.setLimit(.lockedMemory, 0)
      p.expectErrno(.eperm, when: "with a limit of 0") { try p.lock(at + page) }
      p.privileges.insert(.lockMemory)
      p.expectSuccess("locking whatever the limit says") { try p.lock(at + page) }
      p.expect(p.lockedPages, 2, "locked pages")
    },
    ScenarioCase("mlock03", "Locking and unlocking every area leaves the size of each, stacks included.") {
      p in
      let stack = try p.map(2, at: 0x20_0000_0000, flags: [.growsDown, .stack])
      p.store(stack - 3 * page, 3)
      _ = try p.map(5, .shared)
      try p.setBreak(try p.setBreak(0) + 3 * page)
      let before = p.areas.map(\.range)
      p.expect(p.area(stack)?.range.pages, 5, "pages of the stack")
      for area in p.areas {
        try p.lock(area.range.start.raw, bytes: area.range.bytes)
        p.expect(
          p.presentPages(area.range.start.raw, pages: area.range.pages), area.range.pages, "pages in memory")
        try p.unlock(area.range.start.raw, bytes: area.range.bytes)
      }
      p.expect(p.areas.map(\.range), before, "the areas")
      p.expectLoad(stack - 3 * page, 3)
      p.expectAllowed(.store, stack - 6 * page)
    },
    ScenarioCase("mlock04", "Memory that may only be written can be locked.") { p in
      let file = try p.file("kept", size: 10 * page)
      let at = try p.map(10, .shared, file: file, protection: .write)
      try p.lock(at, pages: 10)
      p.expect(p.lockedPages, 10, "locked pages")
      p.expect(p.presentPages(at, pages: 10), 10, "pages in memory")
      p.store(at + 5, 9)
      p.expectContents(file, "kept")
      p.expectContents(file, at: 5, [9])
    },
    ScenarioCase("mlock05", "What is locked is in memory before any access, and counted as locked.") { p in
      let at = try p.map(256, protection: .write)
      try p.lock(at, pages: 256)
      p.expect(p.use(at).resident, 256 * page, "bytes in memory")
      p.expect(p.use(at).locked, 256 * page, "locked bytes")
      p.expectFaults { p.fill(at, pages: 256) }
      try p.unlock(at, pages: 256)
      p.expect(p.use(at).locked, 0, "locked bytes after munlock")
      p.expect(p.use(at).resident, 256 * page, "bytes in memory after munlock")
    },
    ScenarioCase(
      "mlock.reclaim", "Reclaim leaves locked pages in memory; once unlocked it takes them.",
      needs: Needs(swapPages: 512)
    ) { p in
      let at = try p.map(64)
      p.fill(at, pages: 64)
      try p.lock(at, pages: 32)
      p.reclaim()
      p.expect(p.presentPages(at, pages: 32), 32, "locked pages in memory")
      p.expectFaults { p.expectFilled(at, pages: 32) }
      try p.unlock(at, pages: 32)
      p.reclaim()
      p.reclaim()
      p.expect(p.presentPages(at, pages: 32) < 32, "reclaim takes unlocked pages")
      p.expectFilled(at, pages: 64)
    },
    ScenarioCase("mlock.fork", "Children inherit no locks; a program keeps its own.") { p in
      let at = try p.map(8)
      try p.lock(at, pages: 8)
      try p.lockAll(2)
      try p.inChild { child in
        child.expect(child.lockedPages, 0, "locked pages of the child")
        let new = try child.map(2)
        child.expect(child.presentPages(new, pages: 2), 0, "pages in memory of a new mapping")
        child.fill(at, pages: 8)
      }
      p.expect(p.lockedPages, 8, "locked pages")
    },
    ScenarioCase("mlock.none", "Memory without rights cannot be brought in: it is locked, but not in memory.")
    {
      p in
      let at = try p.map(2, protection: [])
      p.expectErrno(.enomem) { try p.lock(at, pages: 2) }
      p.expect(p.lockedPages, 2, "locked pages")
      p.expect(p.presentPages(at, pages: 2), 0, "pages in memory")
    },
  ]

  private static let mlock2Cases: [ScenarioCase] = [
    ScenarioCase("mlock202", "Unknown flags, too much, no right to lock and holes are refused.") { p in
      let at = try p.map(2)
      p.expectErrno(.einval, when: "for flags that nobody knows") {
        try p.call(.mlock2, ["address": at, "bytes": page, "flags": 0xFFFF_FFFF as UInt64])
      }
      p.expectErrno(.einval, when: "for a flag that nobody knows") {
        try p.call(.mlock2, ["address": at, "bytes": page, "flags": 2])
      }
      p.expectErrno(.enomem, when: "where nothing is mapped") { try p.lock(at - page, onFault: true) }
      try p.setLimit(.lockedMemory, page)
      p.expectErrno(.enomem, when: "above the limit") { try p.lock(at, pages: 2, onFault: true) }
      try p.setLimit(.lockedMemory, 0)
      p.expectErrno(.eperm, when: "with a limit of 0") { try p.lock(at, onFault: true) }
      p.expect(p.lockedPages, 0, "locked pages")
    },
    ScenarioCase("mlock203", "A page that is locked twice, on fault and at once, counts once.") { p in
      let at = try p.map(3)
      let before = p.lockedPages
      try p.lock(at + page, onFault: true)
      p.expect(p.lockedPages - before, 1, "more locked pages")
      p.expect(p.isPresent(at + page), false, "in memory before it is used")
      try p.call(.mlock2, ["address": at + page, "bytes": page, "flags": 0])
      p.expect(p.lockedPages - before, 1, "more locked pages after the second lock")
      p.expect(p.isPresent(at + page), true, "in memory after the second lock")
    },
    ScenarioCase(
      "mlock2.fault", "Pages locked on fault come in when they are used, and then stay.",
      needs: Needs(swapPages: 512, hugePages: .never)
    ) { p in
      let at = try p.map(8)
      p.store(at, 1)
      try p.lock(at, pages: 8, onFault: true)
      p.expect(p.lockedPages, 8, "locked pages")
      p.expect(p.presentPages(at, pages: 8), 1, "pages in memory: those that were")
      p.store(at + 5 * page, 5)
      p.expect(p.presentPages(at, pages: 8), 2, "pages in memory")
      p.reclaim()
      p.expect(p.presentPages(at, pages: 8), 2, "pages in memory after reclaim")
      p.expectFaults { p.expectLoad(at + 5 * page, 5) }
    },
  ]

  private static let munlockCases: [ScenarioCase] = [
    ScenarioCase("munlock01", "Any length can be unlocked from any address, by whole pages.") { p in
      let at = try p.map(300)
      for (bytes, pages) in [(1, 1), (1024, 1), (4097, 2), (1 << 20, 257)] as [(UInt64, UInt64)] {
        try p.lock(at, pages: 300)
        try p.unlock(bytes == 1 << 20 ? at + 100 : at, bytes: bytes)
        p.expect(p.lockedPages, 300 - pages, "locked pages after \(bytes) bytes")
        p.expect(p.presentPages(at, pages: 300), 300, "pages that stay in memory")
      }
      try p.unlock(at, pages: 300)
      p.expectSuccess("unlocking what is not locked") { try p.unlock(at, pages: 300) }
      p.expectLayout(at, [.area(300)])
    },
    ScenarioCase("munlock02", "A hole is reported; what lies before it is unlocked, what follows is not.") {
      p in
      let at = try p.map(8)
      try p.lock(at, pages: 8)
      try p.unmap(at + 2 * page, pages: 4)
      p.expectErrno(.enomem, when: "from the hole on") { try p.unlock(at + 2 * page, pages: 6) }
      p.expect(p.lockedPages, 4, "locked pages")
      p.expectErrno(.enomem, when: "over the hole") { try p.unlock(at, pages: 8) }
      p.expect(p.lockedPages, 2, "locked pages")
      p.expectErrno(.einval, when: "over the end of addresses") { try p.unlock(at, bytes: 0 &- at) }
    },
    ScenarioCase("munlock.part", "Unlocking the middle parts an area in three, locking it joins them.") { p in
      let at = try p.map(9)
      try p.lock(at, pages: 9)
      try p.unlock(at + 3 * page, pages: 3)
      p.expectLayout(at, [.area(3), .area(3), .area(3)])
      p.expect(p.lockedPages, 6, "locked pages")
      try p.lock(at + 3 * page, pages: 3)
      p.expectLayout(at, [.area(9)])
      try p.unmap(at, pages: 4)
      p.expect(p.lockedPages, 5, "locked pages after a part is unmapped")
    },
  ]
}

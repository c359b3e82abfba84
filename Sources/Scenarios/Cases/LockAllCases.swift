// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let mlockall = ScenarioGroup("mlockall", isComplete: true, mlockallCases)
  static let munlockall = ScenarioGroup("munlockall", isComplete: true, munlockallCases)

  private static let mlockallCases: [ScenarioCase] = [
    ScenarioCase("mlockall01", "Current and future mappings can be locked, each or both.") { p in
      let first = try p.map(3)
      try p.lockAll(1)
      p.expect(p.presentPages(first, pages: 3), 3, "pages that come in")
      let second = try p.map(4)
      p.expect(p.lockedPages, 3, "locked pages: a later mapping is not")
      try p.lockAll(2)
      p.expect(p.lockedPages, 3, "locked pages: later mappings only")
      let third = try p.map(5)
      p.expect(p.presentPages(third, pages: 5), 5, "pages of a later mapping that come in")
      p.expect(p.lockedPages, 8, "locked pages")
      try p.lockAll(3)
      p.expect(p.lockedPages, 12, "locked pages")
      p.expect(p.presentPages(second, pages: 4), 4, "pages that come in")
    },
    ScenarioCase("mlockall02", "No flags, more than the limit and no right to lock are refused.") { p in
      _ = try p.map(4)
      p.expectErrno(.einval, when: "without flags") { try p.lockAll(0) }
      try p.setLimit(.lockedMemory, 3 * page)
      p.expectErrno(.enomem, when: "above the limit") { try p.lockAll(1) }
      p.expect(p.lockedPages, 0, "locked pages")
      try p.setLimit(.lockedMemory, 0)
      p.expectErrno(.eperm, when: "with a limit of 0") { try p.lockAll(1) }
      p.expectErrno(.einval, when: "without flags, whatever the limit") { try p.lockAll(0) }
    },
    ScenarioCase("mlockall03", "Flags that nobody knows are refused, and those for nothing.") { p in
      _ = try p.map(4)
      p.expectErrno(.einval, when: "for all other flags") { try p.lockAll(0xFFFF_FFFF & ~3) }
      p.expectErrno(.einval, when: "for an unknown flag with known ones") { try p.lockAll(8 | 3) }
      p.expectErrno(.einval, when: "on fault, but of nothing") { try p.lockAll(4) }
      p.expect(p.lockedPages, 0, "locked pages")
      p.user = 1000
      p.privileges = []
      try p.setLimit(.lockedMemory, 20 * page, ceiling: 20 * page)
      p.expectErrno(.eperm, when: "for a higher ceiling") { try p.setLimit(.lockedMemory, 21 * page) }
      p.expectErrno(.enomem, when: "above the limit") {
        _ = try p.map(1)
        try p.lockAll(3)
      }
    },
    ScenarioCase("mlockall.fault", "Locked on fault, nothing comes in, but a new mapping counts.") { p in
      let at = try p.map(3)
      try p.lockAll(7)
      p.expect(p.lockedPages, 3, "locked pages")
      p.expect(p.presentPages(at, pages: 3), 0, "pages in memory")
      let other = try p.map(2)
      p.expect(p.lockedPages, 5, "locked pages")
      p.expect(p.presentPages(other, pages: 2), 0, "pages in memory")
      try p.lockAll(1)
      p.expect(p.presentPages(at, pages: 3), 3, "pages in memory")
      _ = try p.map(2, at: 0x40_0000_0000)
      p.expect(p.lockedPages, 5, "locked pages: future mappings are free again")
    },
    ScenarioCase(
      "mlockall.heap", "With future mappings locked, the heap and a grown mapping come in as well."
    ) {
      p in
      try p.lockAll(2)
      let heap = try p.setBreak(0)
      try p.setBreak(heap + 3 * page)
      p.expect(p.presentPages(heap, pages: 3), 3, "pages of the heap in memory")
      let at = try p.map(2, at: 0x40_0000_0000)
      let grown = try p.remap(at, pages: 2, newPages: 6)
      p.expect(p.presentPages(grown, pages: 6), 6, "pages of the grown mapping in memory")
      p.expect(p.lockedPages, 9, "locked pages")
      try p.setLimit(.lockedMemory, p.lockedPages * page)
      p.expect(try p.setBreak(heap + 4 * page), heap + 3 * page, "the break, which stays")
      p.expectErrno(.eagain) { try p.map(1) }
    },
  ]

  private static let munlockallCases: [ScenarioCase] = [
    ScenarioCase("munlockall01", "Nothing is locked afterwards, now or in the future.") { p in
      let at = try p.map(5)
      _ = try p.map(2, .shared)
      p.expect(p.lockedPages, 0, "locked pages")
      try p.lockAll(3)
      p.expect(p.lockedPages, 7, "locked pages")
      try p.unlockAll()
      p.expect(p.lockedPages, 0, "locked pages after munlockall")
      p.expect(p.presentPages(at, pages: 5), 5, "pages that stay in memory")
      let later = try p.map(3)
      p.expect(p.lockedPages, 0, "locked pages with a later mapping")
      p.expect(p.presentPages(later, pages: 3), 0, "pages of a later mapping in memory")
    },
    ScenarioCase(
      "munlockall.reclaim", "What munlockall frees is taken when memory is short.",
      needs: Needs(swapPages: 512)
    ) { p in
      let at = try p.map(32)
      try p.lockAll(1)
      p.fill(at, pages: 32)
      p.reclaim()
      p.expect(p.presentPages(at, pages: 32), 32, "locked pages in memory")
      try p.unlockAll()
      p.reclaim()
      p.reclaim()
      p.expect(p.presentPages(at, pages: 32) < 32, "reclaim takes unlocked pages")
      p.expectFilled(at, pages: 32)
    },
  ]
}

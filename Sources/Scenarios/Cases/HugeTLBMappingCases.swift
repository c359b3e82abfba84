// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  static let hugetlb = ScenarioGroup(
    "hugetlb", isComplete: true, hugeMappings, hugePlaces, hugePools, hugeFiles, hugeSegments,
    hugeSegmentErrors)

  private static let pool = Needs(hugePool: 8)
  private static let low: UInt64 = 0x4000_0000
  private static let base: UInt64 = 0x80_0000_0000

  /// What is seen in mappings of pooled huge pages.
  private static let hugeMappings: [ScenarioCase] = [
    ScenarioCase(
      "hugemmap01", "A shared huge mapping works, and a page is taken when it is touched.", needs: pool
    ) { p in
      let file = try p.hugeFile()
      let at = try p.mapHuge(2, .shared, file: file)
      p.expect(at % huge, 0, "the address within a huge page")
      p.expectPool(8, free: 8, reserved: 2)
      p.store(at + huge - 1, 7)
      p.expectPool(8, free: 7, reserved: 1)
      p.expect(p.isHuge(at) && !p.translation(at + huge).isMapped, "one translation of 2 MiB, and no other")
      p.expectFaults { p.expectLoad(at + huge / 2, 0) }
      try p.unmapHuge(at, 2)
      p.expectPool(8, free: 7, reserved: 1, when: "while the file is there")
      p.close(file)
      p.expectPool(8, free: 8)
    },
    ScenarioCase("hugemmap04", "The whole pool can be mapped and touched, and not a page more.", needs: pool)
    { p in
      let at = try p.mapHuge(8)
      p.expectErrno(.enomem, when: "for a page more") { try p.mapHuge(1) }
      p.fillHuge(at, 8)
      p.expectPool(8, free: 0)
      p.expectHuge(at, 8)
      try p.unmapHuge(at, 8)
      p.expectPool(8, free: 8)
    },
    ScenarioCase(
      "hugemmap09", "A store to a private mapping never reaches the file, whoever else maps it.", needs: pool
    ) { p in
      let file = try p.hugeFile()
      let shared = try p.mapHuge(1, .shared, file: file)
      p.fillHuge(shared, 1, seed: 5)
      try p.unmapHuge(shared)
      let copy = try p.mapHuge(1, file: file)
      p.expectHuge(copy, 1, seed: 5)
      p.fillHuge(copy, 1, seed: 60)
      let again = try p.mapHuge(1, .shared, file: file)
      p.expectHuge(again, 1, seed: 5)
      p.store(again, 9)
      p.expectHuge(copy, 1, seed: 60)
      p.expectPool(8, free: 6)
    },
    ScenarioCase("hugemmap20", "Locking brings huge pages in; unlocking leaves them there.", needs: pool) {
      p in
      for (sharing, flags) in [(.private, []), (.private, .locked), (.shared, []), (.shared, .locked)]
        as [(Sharing, MapFlags)]
      {
        let at = try p.mapHuge(2, sharing, flags: flags)
        p.expectPool(8, free: flags.isEmpty ? 8 : 6, reserved: flags.isEmpty ? 2 : 0)
        try p.lock(at, pages: 1024)
        p.expectPool(8, free: 6)
        p.fillHuge(at, 2)
        try p.unlock(at, pages: 1024)
        p.expectHuge(at, 2)
        try p.unmapHuge(at, 2)
      }
      p.expectPool(8, free: 8)
    },
    ScenarioCase("hugemmap21", "Each of five children reads only what it wrote.", needs: pool) { p in
      let file = try p.hugeFile()
      let shared = try p.mapHuge(1, .shared, file: file)
      p.fillHuge(shared, 1)
      let at = try p.mapHuge(1, file: file, flags: .noReserve)
      let children = try (0..<5).map { _ in try p.fork() }
      for child in children {
        child.expectHuge(at, 1)
        child.fillHuge(at, 1, seed: UInt8(child.pid * 20))
      }
      p.expectPool(8, free: 2)
      for child in children { child.expectHuge(at, 1, seed: UInt8(child.pid * 20)) }
      p.expectHuge(at, 1)
      p.expectHuge(shared, 1)
      for child in children { child.exit() }
      p.expectPool(8, free: 7)
    },
    ScenarioCase(
      "hugemmap22", "New huge pages are zero, whatever was in them before, and keep what is stored.",
      needs: pool
    ) { p in
      for sharing in [Sharing.private, .shared] {
        let at = try p.mapHuge(8, sharing)
        p.expectZeroHuge(at, 8)
        p.fillHuge(at, 8, seed: 70)
        p.expectHuge(at, 8, seed: 70)
        try p.unmapHuge(at, 8)
      }
    },
    ScenarioCase(
      "hugemmap31", "What is stored through one shared mapping is loaded through the other.", needs: pool
    ) { p in
      let file = try p.hugeFile()
      let first = try p.mapHuge(2, .shared, file: file)
      let second = try p.mapHuge(2, .shared, file: file)
      p.fillHuge(first, 2)
      p.expectHuge(second, 2)
      p.store(second + huge, 99)
      p.expectLoad(first + huge, 99)
      p.expectPool(8, free: 6)
    },
    ScenarioCase(
      "hugetlb.copy", "The process that was promised a page gets it, its child the signal.",
      needs: Needs(hugePool: 2)
    ) { p in
      let at = try p.mapHuge(2)
      p.fillHuge(at, 2)
      let child = try p.fork()
      child.expectSignal(.noHugePage, .store, at)
      child.expectHuge(at, 2)
      p.store(at, 44)
      child.expectSignal(.noHugePage, .load, at)
      child.expectLoad(at + huge, 2)
      p.expectLoad(at + huge - 1, 101)
      child.exit()
      p.expectPool(2, free: 0)
    },
    ScenarioCase(
      "hugetlb.rights", "Rights change by whole pages, also where pages are in memory.", needs: pool
    ) { p in
      let at = try p.mapHuge(3)
      p.fillHuge(at, 3)
      p.expectErrno(.einval, when: "for a part of a page") { try p.protect(at, .read) }
      try p.protect(at + huge, pages: 512, .read)
      p.expectSignal(.forbidden, .store, at + huge)
      p.expectAllowed(.load, at + huge)
      p.expectLayout(at, [.area(512), .area(512, .read), .area(512)])
      p.expectErrno(.einval, when: "for a part of a page") { try p.unmap(at + huge, pages: 511) }
      try p.protect(at + huge, pages: 512, [.read, .write])
      p.expectLayout(at, [.area(1536)])
      p.expectHuge(at, 3)
      p.expectPool(8, free: 5)
    },
  ]

  /// Where mappings of pooled huge pages can be.
  private static let hugePlaces: [ScenarioCase] = [
    ScenarioCase(
      "hugemmap02", "With ordinary mappings below, a low hint for huge pages is taken.", needs: pool
    ) { p in
      for number in 0..<4 as Range<UInt64> {
        p.store(try p.map(1, at: low - huge + number * 3 * page), 1)
      }
      let at = try p.mapHuge(1, .shared, near: low)
      p.expect(at, low, "the address of a free hint")
      p.fillHuge(at, 1)
      p.expectLoad(low - huge, 1)
      try p.unmapHuge(at)
      p.expectSignal(.unmapped, .load, low)
    },
    ScenarioCase("hugemmap07", "The heap grows up to huge pages, not over them.", needs: pool) { p in
      let start = try p.setBreak(0)
      let above = (start + 2 * huge) & ~(huge - 1)
      p.fillHuge(try p.mapHuge(1, at: above), 1)
      p.expect(try p.setBreak(above + page), start, "the break that cannot move")
      p.expect(try p.setBreak(above), start, "the break without a page between")
      p.expect(try p.setBreak(above - page), above - page, "the break below huge pages")
      p.store(above - page - 1, 7)
      p.expectHuge(above, 1)
      try p.unmapHuge(above)
      p.expect(try p.setBreak(above + page), above + page, "the break when they are gone")
      p.expectZero(above)
    },
    ScenarioCase(
      "hugemmap13", "Huge pages at 4 GiB and ordinary ones just below live side by side.", needs: pool
    ) { p in
      let at = try p.mapHuge(1, at: 1 << 32)
      let below = try p.map(2, at: 1 << 32 - 2 * page)
      p.fillHuge(at, 1)
      p.fill(below, pages: 2)
      p.expectHuge(at, 1)
      p.expectFilled(below, pages: 2)
    },
    ScenarioCase(
      "hugemmap14", "Huge pages below 4 GiB and ordinary ones just above live side by side.", needs: pool
    ) { p in
      let at = try p.mapHuge(2, at: 1 << 32 - 2 * huge)
      let places = [1 << 32, 1 << 32 + (1 << 40), 1 << 32 - 2 * huge - page] as [UInt64]
      for place in places { p.store(try p.map(1, at: place), 9) }
      p.fillHuge(at, 2)
      for place in places { p.expectLoad(place, 9) }
      p.expectHuge(at, 2)
    },
    ScenarioCase(
      "hugemmap18", "Fixed addresses and offsets have to be aligned; hints and lengths are rounded.",
      needs: pool
    ) { p in
      let file = try p.hugeFile()
      let hinted = try p.map(bytes: huge + 1, near: base + page, flags: .hugeTLB)
      p.expect(hinted % huge, 0, "the address within a huge page")
      p.expectLayout(hinted, [.area(1024)])
      p.expectErrno(.einval, when: "inside a page") { try p.mapHuge(1, at: base + page) }
      p.expectErrno(.einval, when: "inside a page") {
        try p.mapHuge(1, .shared, file: file, at: base + huge / 2)
      }
      p.expectErrno(.einval, when: "for an offset inside a page") {
        try p.map(512, .shared, file: file, offset: page)
      }
      p.expectErrno(.einval, when: "for an offset inside a page") {
        try p.map(512, .shared, file: file, at: base + 32 * huge, offset: page)
      }
      try p.unmap(try p.map(1, .shared, file: file, bytes: 5), pages: 512)
      p.expectErrno(.einval, when: "for a size that nobody has") {
        try p.map(512, flags: [.hugeTLB, MapFlags(rawValue: 19 << 26)])
      }
    },
    ScenarioCase(
      "hugemmap24", "A huge mapping does not grow, next to free addresses neither, and stays as it is.",
      needs: pool
    ) { p in
      let at = try p.mapHuge(2, .shared, at: base)
      p.fillHuge(at, 2)
      for mayMove in [false, true] {
        p.expectErrno(.einval, .enomem) { try p.remap(at, pages: 1024, newPages: 1536, mayMove: mayMove) }
      }
      p.expectLayout(at - huge, [.hole(512), .area(1024, shared: true), .hole(512)])
      p.expectHuge(at, 2)
      try p.remap(at, pages: 1024, newPages: 512)
      p.expectLayout(at, [.area(512, shared: true), .hole(512)])
      p.expectHuge(at, 1)
    },
    ScenarioCase("hugemmap25", "Huge pages move next to ordinary ones where they are aligned.", needs: pool) {
      p in
      let at = try p.mapHuge(1, .shared, at: base)
      let near = try p.map(3, at: base + 9 * huge)
      p.fillHuge(at, 1)
      p.fill(near, pages: 3)
      p.expectErrno(.einval, when: "inside a page") {
        try p.remap(at, pages: 512, newPages: 512, to: near - huge + page)
      }
      p.expectHuge(at, 1)
      let moved = try p.remap(at, pages: 512, newPages: 512, to: near - huge)
      p.expect(moved, near - huge, "the new address")
      p.expectHuge(moved, 1)
      p.expectFilled(near, pages: 3)
      p.expectSignal(.unmapped, .load, at)
      p.expectPool(8, free: 7)
    },
    ScenarioCase(
      "hugemmap26", "Ordinary pages move next to huge ones, and neither grow nor move into them.", needs: pool
    ) { p in
      let at = try p.mapHuge(1, .shared, at: base)
      let other = try p.map(3, at: base + 16 * huge)
      p.fillHuge(at, 1)
      p.fill(other, pages: 3)
      p.expectErrno(.einval, when: "inside a huge page") {
        try p.remap(other, pages: 3, newPages: 3, to: at + page)
      }
      let moved = try p.remap(other, pages: 3, newPages: 3, to: at - 3 * page)
      p.expectFilled(moved, pages: 3)
      p.expectErrno(.enomem) { try p.remap(moved, pages: 3, newPages: 4, mayMove: false) }
      let behind = try p.remap(moved, pages: 3, newPages: 3, to: at + huge)
      p.expectFilled(behind, pages: 3)
      p.expectHuge(at, 1)
      p.expectPool(8, free: 7)
    },
    ScenarioCase("hugemmap34", "A stack does not grow into huge pages, nor near them.", needs: pool) { p in
      let at = try p.mapHuge(1, at: base)
      let stack = try p.map(1, at: base + huge + 300 * page, flags: [.growsDown, .stack])
      p.store(base + huge + 256 * page, 5)
      p.expectSignal(.unmapped, .store, base + huge + 255 * page)
      p.expectSignal(.unmapped, .store, base + huge)
      p.expectLayout(at, [.area(512), .hole(256), .area(45)])
      p.store(stack, 6)
      p.expectZeroHuge(at)
    },
    ScenarioCase(
      "hugemmap37", "Across the end of user space a fixed mapping is refused, a hint goes elsewhere.",
      needs: pool
    ) { p in
      let last = (p.host.userEnd - 1) & ~(huge - 1)
      for place in [last, last + huge] {
        p.expectErrno(.enomem, when: "at \(place.text)") { try p.mapHuge(2, at: place) }
        let at = try p.mapHuge(2, near: place)
        p.expect(at + 2 * huge <= p.host.userEnd, "a mapping that ends in user space", got: at.text)
        p.fillHuge(at, 2)
        p.expectHuge(at, 2)
        try p.unmapHuge(at, 2)
      }
      p.expectPool(8, free: 8)
    },
  ]
}

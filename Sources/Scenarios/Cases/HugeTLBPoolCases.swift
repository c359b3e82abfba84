// SPDX-License-Identifier: MIT
internal import SimMemory
internal import VMM

extension ScenarioCatalog {
  private static let pool = Needs(hugePool: 8)

  /// What the counters of a pool say.
  static let hugePools: [ScenarioCase] = [
    ScenarioCase(
      "hugemmap05", "Surplus pages come when they are promised, and go when they are free.",
      needs: Needs(hugePool: 2)
    ) { p in
      try p.administration.setHugePageOvercommit(.twoMiB, 2)
      for sharing in [Sharing.private, .shared] {
        let at = try p.mapHuge(4, sharing)
        p.expectPool(4, free: 4, reserved: 4, surplus: 2, when: "before it is touched")
        p.expectErrno(.enomem, when: "beyond the limit") { try p.mapHuge(1) }
        p.fillHuge(at, 4)
        p.expectPool(4, free: 0, surplus: 2, when: "when it is touched")
        p.expectHuge(at, 4)
        try p.unmapHuge(at, 4)
        p.expectPool(2, free: 2, when: "at the end")
      }
    },
    ScenarioCase(
      "hugemmap08", "A promise that cannot be kept is refused when it is made, not by a signal later.",
      needs: pool
    ) { p in
      let first = try p.mapHuge(5, .shared)
      for sharing in [Sharing.private, .shared] {
        p.expectErrno(.enomem) { try p.mapHuge(4, sharing) }
      }
      p.expectPool(8, free: 8, reserved: 5)
      let second = try p.mapHuge(3)
      p.fillHuge(first, 5)
      p.fillHuge(second, 3, seed: 50)
      p.expectHuge(first, 5)
      p.expectHuge(second, 3, seed: 50)
    },
    ScenarioCase(
      "hugemmap10", "The counters follow Linux's rules in any order of calls.", needs: Needs(hugePool: 6)
    ) { p in
      var model = PoolModel(pool: HugePageCounters(total: 6, free: 6))
      var random = ScenarioRandom(10)
      var slots = [UInt64: (pages: UInt64, touched: UInt64)]()
      for step in 0..<80 {
        let chosen = slots.keys.sorted().randomElement(using: &random)
        switch (random.below(8), chosen) {
        case (0...2, _):
          let pages = 1 + random.below(3)
          if model.promise(pages) {
            slots[try p.mapHuge(pages, random.below(2) == 0 ? .shared : .private)] = (pages, 0)
          } else {
            p.expectErrno(.enomem) { try p.mapHuge(pages) }
          }
        case (3, _):
          let count = random.below(9)
          p.expect(try p.setHugePool(count), model.resize(count), "the size that is reached")
        case (4, let at?):
          guard let slot = slots.removeValue(forKey: at) else { break }
          try p.unmapHuge(at, slot.pages)
          model.release(slot.pages, touched: slot.touched)
        case (_, let at?):
          guard let slot = slots[at], slot.touched < slot.pages else { break }
          p.store(at + slot.touched * huge, 1)
          model.touch()
          slots[at]?.touched += 1
        default: break
        }
        p.expectPool(model.pool, when: "after step \(step)")
      }
    },
    ScenarioCase(
      "hugemmap27", "Pages that were promised are not given to others, who get a signal.", needs: pool
    ) { p in
      let at = try p.mapHuge(8, .shared)
      let loose = try p.mapHuge(1, flags: .noReserve)
      p.expectSignal(.noHugePage, .store, loose)
      p.expectSignal(.noHugePage, .load, loose)
      p.expectPool(8, free: 8, reserved: 8)
      p.fillHuge(at, 8)
      try p.administration.setHugePageOvercommit(.twoMiB, 1)
      p.fillHuge(loose, 1)
      p.expectPool(9, free: 0, surplus: 1)
      try p.unmapHuge(loose)
      p.expectPool(8, free: 0)
    },
    ScenarioCase(
      "hugemmap28", "A page that was touched without a promise leaves the promises of others right.",
      needs: pool
    ) { p in
      let file = try p.hugeFile()
      for first in [MapFlags.noReserve, []] {
        let one = try p.mapHuge(2, .shared, file: file, flags: first)
        let two = try p.mapHuge(2, .shared, file: file, flags: first.isEmpty ? .noReserve : [])
        p.expectPool(8, free: 8, reserved: 2)
        p.fillHuge(one, 1)
        p.expectHuge(two, 1)
        p.expectPool(8, free: 7, reserved: 1)
        try p.truncate(file, 0)
        try p.unmapHuge(one, 2)
        try p.unmapHuge(two, 2)
        p.expectPool(8, free: 8)
      }
    },
    ScenarioCase("hugemmap38", "Promises follow mapping, touching, truncation and unmapping.", needs: pool) {
      p in
      let file = try p.hugeFile()
      let at = try p.mapHuge(1, .shared, file: file)
      p.expectPool(8, free: 8, reserved: 1)
      p.store(at, 3)
      p.expectPool(8, free: 7)
      try p.truncate(file, 0)
      p.expectPool(8, free: 8)
      p.expectSignal(.beyondEnd, .load, at)
      p.expectSignal(.beyondEnd, .store, at)
      p.expectPool(8, free: 8, when: "after the signal")
      try p.unmapHuge(at)
      p.expectPool(8, free: 8)
    },
    ScenarioCase(
      "hugetlb.reclaim", "Reclaim leaves pooled pages alone, used or not.",
      needs: Needs(swapPages: 1024, hugePool: 6)
    ) { p in
      let at = try p.mapHuge(2)
      p.fillHuge(at, 2)
      let other = try p.map(8)
      p.fill(other, pages: 8)
      p.reclaim()
      p.expectPool(6, free: 4)
      p.expect(p.isHuge(at) && p.isHuge(at + huge), "both huge pages are in memory")
      p.expectFaults { p.expectHuge(at, 2) }
      p.expectFilled(other, pages: 8)
    },
  ]

  /// Files of pooled huge pages.
  static let hugeFiles: [ScenarioCase] = [
    ScenarioCase("hugemmap12", "Advice on a file leaves promises as they were.", needs: pool) { p in
      let file = try p.hugeFile(pages: 2)
      let at = try p.mapHuge(2, .shared, file: file)
      for advice in 0...5 as ClosedRange<UInt64> {
        try p.call(.fadvise, ["file": file, "offset": 0, "bytes": 2 * huge, "advice": advice])
        p.expectPool(8, free: 8, reserved: 2)
      }
      try p.unmapHuge(at, 2)
      p.close(file)
      p.expectPool(8, free: 8)
    },
    ScenarioCase("hugemmap16", "Advice on a mapping leaves promises as they were.", needs: pool) { p in
      let file = try p.hugeFile(pages: 2)
      let at = try p.mapHuge(2, .shared, file: file)
      for advice in [Advice.normal, .random, .sequential, .willNeed] {
        try p.advise(at, pages: 1024, advice)
        p.expectPool(8, free: 8, reserved: 2)
      }
      try p.unmapHuge(at, 2)
      p.close(file)
      p.expectPool(8, free: 8)
    },
    ScenarioCase("hugemmap30", "Reading ahead leaves promises as they were.", needs: pool) { p in
      let file = try p.hugeFile(pages: 2)
      let at = try p.mapHuge(2, .shared, file: file)
      try p.call(.readahead, ["file": file, "offset": 0, "bytes": 2 * huge])
      p.expectPool(8, free: 8, reserved: 2)
      try p.unmapHuge(at, 2)
      p.close(file)
      p.expectPool(8, free: 8)
    },
    ScenarioCase("hugemmap17", "Truncation far out leaves the beginning of a file alone.", needs: pool) { p in
      let file = try p.hugeFile()
      let first = try p.mapHuge(1, .shared, file: file, at: 0x7F_0000_0000)
      let far = try p.mapHuge(1, .shared, file: file, from: 768)
      p.fillHuge(first, 1)
      p.fillHuge(far, 1, seed: 30)
      try p.truncate(file, 768 * huge)
      p.expectHuge(first, 1)
      p.expectSignal(.beyondEnd, .load, far)
      p.expectPool(8, free: 7)
      p.expectErrno(.einval, when: "inside a page") { try p.truncate(file, page) }
    },
    ScenarioCase(
      "hugefallocate01", "Room is made outwards, holes inwards; what is left of a page in a hole is zeroed.",
      needs: pool
    ) { p in
      let file = try p.hugeFile()
      try p.allocate(file, offset: huge / 2, bytes: 2 * huge)
      p.expectPool(8, free: 5)
      let at = try p.mapHuge(2, .shared, file: file)
      p.expectPool(8, free: 5, when: "when pages that exist are mapped")
      p.fillHuge(at, 2)
      try p.allocate(file, mode: 3, offset: huge / 2, bytes: huge)
      p.expectPool(8, free: 5, when: "when no whole page lies in the hole")
      p.expectLoad(at, 1)
      p.expectLoad(at + huge - 1, 0)
      p.expectLoad(at + huge, 0)
      p.expectLoad(at + 2 * huge - 1, 102)
      try p.allocate(file, mode: 3, offset: huge - 1, bytes: huge + 1)
      p.expectPool(8, free: 6)
      p.expectZeroHuge(at + huge)
      p.expectLoad(at, 1)
    },
    ScenarioCase(
      "hugefallocate02", "Room that is made takes pages from the pool, and a hole gives them back.",
      needs: pool
    ) { p in
      let file = try p.hugeFile()
      try p.allocate(file, offset: 0, bytes: 6 * huge)
      p.expectPool(8, free: 2)
      p.expectErrno(.enospc, when: "beyond the pool") {
        try p.allocate(file, offset: 6 * huge, bytes: 3 * huge)
      }
      let at = try p.mapHuge(6, .shared, file: file)
      p.expectZeroHuge(at, 6)
      try p.allocate(file, mode: 3, offset: 0, bytes: 9 * huge)
      p.expectPool(8, free: 8)
      p.expect(p.size(file) >= 6 * huge, "a size that a hole leaves", got: "\(p.size(file))")
      p.expectZeroHuge(at + 5 * huge)
      p.expectPool(8, free: 7)
    },
    ScenarioCase(
      "hugetlb.mount", "Files below a mount of huge pages are huge, and can be opened again.", needs: pool
    ) { p in
      try p.administration.mountHugePages(.twoMiB, at: "/dev/hugepages")
      let file = try p.open("/dev/hugepages/data", creates: true)
      let at = try p.mapHuge(3, .shared, file: file)
      p.fillHuge(at, 3)
      try p.unmapHuge(at, 3)
      p.close(file)
      p.expectPool(8, free: 5)
      let again = try p.mapHuge(3, file: try p.open("/dev/hugepages/data", .readOnly), protection: .read)
      p.expectHuge(again, 3)
      p.expectSignal(.forbidden, .store, again)
      p.expect(p.isHuge(again + 2 * huge), "the page is huge")
      try p.unlink("/dev/hugepages/data")
      p.expectHuge(again, 3)
    },
  ]
}

/// Linux's rules for one pool, as far as nothing but anonymous mappings use it.
private struct PoolModel {
  var pool: HugePageCounters
  var used: UInt64 { pool.total - pool.free }

  mutating func promise(_ pages: UInt64) -> Bool {
    if pool.free - pool.reserved < pages { return false }
    pool.reserved += pages
    return true
  }

  mutating func touch() {
    pool.reserved -= 1
    pool.free -= 1
  }

  mutating func release(_ pages: UInt64, touched: UInt64) {
    pool.reserved -= pages - touched
    let gone = min(pages, pool.surplus)
    pool.free = pool.free + touched - gone
    pool.total -= gone
    pool.surplus -= gone
  }

  mutating func resize(_ count: UInt64) -> UInt64 {
    let needed = max(count, used + pool.reserved)
    let total = max(count, min(needed, pool.total))
    pool.free = pool.free + total - pool.total
    pool.total = total
    pool.surplus = total - count
    return total - pool.surplus
  }
}

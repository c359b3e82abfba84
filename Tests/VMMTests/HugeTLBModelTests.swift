// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Random sequences: the counters follow a small model of Linux's rules, bytes are kept, and all drivers answer alike.
struct HugeTLBModelTests {
  /// The counters, and what each call does to them.
  private struct Model {
    var total: UInt64 = 0
    var free: UInt64 = 0
    var reserved: UInt64 = 0
    var surplus: UInt64 = 0
    var overcommit: UInt64 = 0
    var counters: [UInt64] { [total, free, reserved, surplus] }

    mutating func resize(to count: UInt64) {
      let own = total - surplus
      if count > own {
        let taken = min(surplus, count - own)
        surplus -= taken
        let fresh = count - own - taken
        total += fresh
        free += fresh
        return
      }
      let left = max(count, reserved + total - free)
      if left < own {
        free -= own - left
        total -= own - left
      }
      if total - surplus > count { surplus = total - count }
    }

    mutating func map(_ pages: UInt64) -> Bool {
      let needed = reserved + pages > free ? reserved + pages - free : 0
      if needed > 0, surplus + needed > overcommit { return false }
      total += needed
      free += needed
      surplus += needed
      reserved += pages
      return true
    }

    mutating func touch(isPromised: Bool) -> Bool {
      if isPromised {
        reserved -= 1
        free -= 1
      } else if free > reserved {
        free -= 1
      } else if surplus < overcommit {
        total += 1
        surplus += 1
      } else {
        return false
      }
      return true
    }

    mutating func give(_ pages: UInt64) {
      for _ in 0..<pages {
        if surplus > 0 {
          surplus -= 1
          total -= 1
        } else {
          free += 1
        }
      }
    }

    mutating func unreserve(_ pages: UInt64) {
      reserved -= pages
      let gone = min(pages, surplus, free)
      surplus -= gone
      total -= gone
      free -= gone
    }
  }

  private struct Mapping {
    var start: UInt64
    var isShared: Bool
    /// What each page holds; nil while it was not touched.
    var bytes: [UInt8?]
    var promised: Set<Int>
    /// Whether it was mapped with promises.
    var isOwner: Bool
  }

  @Test(arguments: [UInt64(1), 2, 3, 4]) func countersFollowTheModel(_ seed: UInt64) throws {
    let computers = try PoolDriver.allCases.map { try $0.computer(pages: 0) }
    var random = Random(state: seed)
    var model = Model()
    var mappings: [Mapping] = []
    for step in 0..<250 {
      let note = "seed \(seed), step \(step)"
      let chosen = mappings.isEmpty ? 0 : Int(random.next(UInt64(mappings.count)))
      switch random.next(mappings.isEmpty ? 3 : 9) {
      case 0:
        let count = random.next(9)
        for computer in computers { try computer.setPool(count) }
        model.resize(to: count)
      case 1:
        model.overcommit = random.next(5)
        for computer in computers { try computer.setOvercommit(model.overcommit) }
      case 2:
        let (pages, isShared, isLoose) = (1 + random.next(4), random.next(2) == 0, random.next(4) == 0)
        let flags = (isShared ? Flag.shared : Flag.private) | (isLoose ? Flag.noReserve : 0)
        let works = isLoose || model.map(pages)
        let starts = computers.map { computer -> UInt64? in try? computer.mapHuge(pages, flags: flags) }
        #expect(Set(starts).count == 1 && (starts[0] != nil) == works, "\(note): \(starts)")
        guard let start = starts[0] else { break }
        mappings.append(
          Mapping(
            start: start, isShared: isShared, bytes: Array(repeating: nil, count: Int(pages)),
            promised: isLoose ? [] : Set(0..<Int(pages)), isOwner: !isLoose))
      case 3:
        let mapping = mappings.remove(at: chosen)
        for computer in computers {
          try computer.call(.munmap, [mapping.start, UInt64(mapping.bytes.count) * huge])
        }
        model.give(UInt64(mapping.bytes.count { $0 != nil }))
        model.unreserve(UInt64(mapping.promised.count))
      case 4 where !mappings[chosen].isShared:
        let page = Int(random.next(UInt64(mappings[chosen].bytes.count)))
        for computer in computers {
          try computer.call(.madvise, [mappings[chosen].start + UInt64(page) * huge, huge, 4])
        }
        guard mappings[chosen].bytes[page] != nil else { break }
        mappings[chosen].bytes[page] = nil
        let isRestored = model.surplus == 0 && mappings[chosen].isOwner
        model.give(1)
        if isRestored {
          model.reserved += 1
          mappings[chosen].promised.insert(page)
        }
      default:
        let page = Int(random.next(UInt64(mappings[chosen].bytes.count)))
        let (value, address) = (UInt8(random.next(255)) + 1, mappings[chosen].start)
        let isStore = random.next(2) == 0
        var expected = AccessOutcome.byte(isStore ? value : mappings[chosen].bytes[page] ?? 0)
        if mappings[chosen].bytes[page] == nil {
          if model.touch(isPromised: mappings[chosen].promised.remove(page) != nil) {
            mappings[chosen].bytes[page] = 0
          } else {
            expected = .refused(.noHugePage)
          }
        }
        if isStore, expected == .byte(value) { mappings[chosen].bytes[page] = value }
        for computer in computers {
          let outcome =
            isStore
            ? computer.store(value, page: UInt64(page), of: address)
            : computer.load(page: UInt64(page), of: address)
          #expect(outcome == expected, "\(note)")
        }
      }
      for computer in computers { #expect(computer.pool == model.counters, "\(note)") }
      if step % 10 == 0 { for computer in computers { computer.expectSound(note) } }
    }
    for computer in computers { computer.finish() }
  }
}

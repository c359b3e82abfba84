// SPDX-License-Identifier: MIT
import SimMemory
import Testing
import VMM

/// Random edits of a set of areas against a table of single pages.
struct VMASetModelTests {
  private struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
  }

  private struct Page: Equatable {
    var rights: Rights
    var flags: VMAFlags
    var file: FileID
    var offset: UInt64
  }

  @Test(arguments: [1, 2, 3, 4]) func editsAgreeWithSinglePages(seed: UInt64) {
    var numbers = Numbers(state: seed)
    var set = VMASet()
    var model: [UInt64: Page] = [:]
    for _ in 0..<1500 {
      let start = UInt64.random(in: 0..<60, using: &numbers)
      let count = UInt64.random(in: 1...8, using: &numbers)
      let range = VirtualRange(VirtualAddress(start * page), bytes: count * page)
      switch Int.random(in: 0..<4, using: &numbers) {
      case 0, 1:
        _ = set.remove(range)
        let file = FileID(UInt32.random(in: 0...1, using: &numbers))
        let rights = Rights(rawValue: UInt8.random(in: 0...2, using: &numbers))
        set.insert(VMA(range, rights: rights, flags: .mayWrite, file: file, offset: start * page))
        for number in start..<start + count {
          model[number] = Page(
            rights: rights, flags: .mayWrite, file: file, offset: file == .none ? 0 : number * page)
        }
      case 2:
        _ = set.remove(range)
        for number in start..<start + count { model[number] = nil }
      default:
        set.update(range) { $0.flags.formSymmetricDifference(.locked) }
        for number in start..<start + count { model[number]?.flags.formSymmetricDifference(.locked) }
      }
      #expect(set.brokenInvariant() == nil)
      #expect(pages(of: set) == model)
    }
  }

  private func pages(of set: VMASet) -> [UInt64: Page] {
    var found: [UInt64: Page] = [:]
    for area in set.areas {
      for number in area.range.start.raw / page..<area.range.end.raw / page {
        let offset = area.file == .none ? 0 : area.filePage(at: VirtualAddress(number * page)) * page
        found[number] = Page(rights: area.rights, flags: area.flags, file: area.file, offset: offset)
      }
    }
    return found
  }

  @Test func holesAndCoverage() {
    var set = VMASet()
    set.insert(VMA(VirtualRange(VirtualAddress(page), bytes: page), rights: .read, flags: []))
    set.insert(VMA(VirtualRange(VirtualAddress(3 * page), bytes: page), rights: .read, flags: []))
    let whole = VirtualRange(VirtualAddress(0), bytes: 5 * page)
    #expect(set.holes(in: whole).map { $0.start.raw / page } == [0, 2, 4])
    #expect(!set.covers(whole))
    #expect(set.covers(VirtualRange(VirtualAddress(3 * page), bytes: page)))
  }
}

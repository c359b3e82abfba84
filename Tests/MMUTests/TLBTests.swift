// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory
import Testing

/// Geometry, order of use, tags and reach of TLBs.
@Suite struct TLBTests {
  let fixture: Fixture

  init() throws { fixture = try Fixture() }

  static func only(data: TLBLevelConfiguration) -> TLBConfiguration {
    TLBConfiguration(fetch: .absent, data: data, second: .absent)
  }

  /// The first-level TLB against lists in order of use, for regular and odd numbers of sets.
  @Test(arguments: [(16, 4), (3, 2), (7, 3), (1, 5), (12, 12), (1, 1)])
  func agreesWithListsInOrderOfUse(sets: Int, ways: Int) {
    let pages = UInt64(sets * ways * 2)
    for page in 0..<pages { fixture.map(page << 12, to: (page + 256) << 12) }
    let hardware = fixture.hardware(Self.only(data: .unified(sets * ways, ways)))
    let mmu = hardware.mmu
    var model = [[UInt64]](repeating: [], count: sets)
    var generator = SeededGenerator(seed: UInt64(sets * 100 + ways))
    var misses: UInt64 = 0
    for _ in 0..<3000 {
      let page = UInt64.random(in: 0..<pages, using: &generator)
      let set = Int(page % UInt64(sets))
      if let place = model[set].firstIndex(of: page) {
        model[set].remove(at: place)
      } else {
        misses += 1
        if model[set].count == ways { model[set].removeLast() }
      }
      model[set].insert(page, at: 0)
      #expect(mmu.physical(page << 12 | 0x10, fixture.root) == (page + 256) << 12 | 0x10)
    }
    #expect(mmu.statistics[.load].walks == misses)
    #expect(mmu.statistics[.load].firstLevelHits == 3000 - misses)
    let held = Set(mmu.cachedEntries.map { $0.range.start.pageNumber })
    #expect(held == Set(model.joined()))
  }

  @Test func kindsOfAccessHaveTheirOwnFirstLevel() {
    fixture.map(0x1000, to: 0x5000)
    let hardware = fixture.hardware()
    let mmu = hardware.mmu
    let address = VirtualAddress(0x1000)
    #expect(mmu.physical(0x1000, .fetch, fixture.root) == 0x5000)
    #expect(mmu.cached(address, spaceID: 1, in: .fetch) != nil)
    #expect(mmu.cached(address, spaceID: 1, in: .data) == nil)
    #expect(mmu.cached(address, spaceID: 1, in: .second) != nil)
    #expect(mmu.physical(0x1000, .load, fixture.root) == 0x5000)
    #expect(mmu.statistics[.load].secondLevelHits == 1)
    #expect(mmu.cached(address, spaceID: 1, in: .data) != nil)
    #expect(mmu.statistics.total.walks == 1)
  }

  @Test(arguments: [(0, PageSize.base), (1, .twoMiB), (2, .oneGiB)])
  func oneEntryReachesItsWholePage(level: Int, size: PageSize) {
    let address: UInt64 = 0x40_0000_0000
    fixture.map(address, to: 0x4000_0000, level: level)
    for tlbs in [TLBConfiguration.standard, Self.only(data: .unified(8, 4))] {
      let hardware = fixture.hardware(tlbs)
      for offset in [0, size.bytes / 2 + 8, size.bytes - 1] {
        #expect(hardware.mmu.physical(address + offset, fixture.root) == 0x4000_0000 + offset)
      }
      #expect(hardware.mmu.statistics.total.walks == 1)
      #expect(hardware.mmu.statistics.walks(finding: size) == 1)
      #expect(hardware.mmu.cached(VirtualAddress(address + 1), spaceID: 1, in: .data)?.size == size)
    }
  }

  @Test func pagesWithoutAPlaceAreKeptInPieces() {
    let address: UInt64 = 0x40_0000_0000
    fixture.map(address, to: 0x4000_0000, level: 2)
    let hardware = fixture.hardware()
    let place = address + 5 << 21 + 0x1234
    #expect(hardware.mmu.physical(place, .fetch, fixture.root) == 0x4000_0000 + place - address)
    let piece = hardware.mmu.cached(VirtualAddress(place), spaceID: 1, in: .fetch)
    #expect(piece == Fixture.translation(0x4000_0000 + (place - address) & ~0x1F_FFFF, .twoMiB))
    #expect(hardware.mmu.cached(VirtualAddress(place), spaceID: 1, in: .second)?.size == .oneGiB)
    let small = fixture.hardware(
      Self.only(
        data: TLBLevelConfiguration(base: TLBGeometry(entries: 4, ways: 4), twoMiB: .none, oneGiB: .none)))
    #expect(small.mmu.physical(place, fixture.root) == 0x4000_0000 + place - address)
    #expect(small.mmu.cached(VirtualAddress(place), spaceID: 1, in: .data)?.size == .base)
  }

  @Test func spacesAreToldApartWithoutFlushes() {
    let other = fixture.otherRoot(spaceID: 0x1001)
    fixture.map(0x1000, to: 0x5000)
    fixture.map(0x1000, to: 0x6000, root: other)
    let hardware = fixture.hardware()
    for _ in 0..<3 {
      #expect(hardware.mmu.physical(0x1000, fixture.root) == 0x5000)
      #expect(hardware.mmu.physical(0x1000, other) == 0x6000)
    }
    #expect(hardware.mmu.statistics.total.walks == 2)
  }

  @Test(arguments: [0, 1, 2]) func globalEntriesServeEverySpace(level: Int) {
    let kernel: UInt64 = 0xffff_8880_0000_0000
    let other = fixture.otherRoot(spaceID: 2)
    fixture.map(kernel, to: 0x4000_0000, level: level, flags: Fixture.readWrite | X86Entry.global)
    let hardware = fixture.hardware()
    let mmu = hardware.mmu
    #expect(mmu.physical(kernel, fixture.root) == 0x4000_0000)
    #expect(mmu.physical(kernel, other) == 0x4000_0000, "though the other space does not map it")
    #expect(mmu.statistics.total.walks == 1)
    mmu.invalidate(spaceID: 1, range: nil)
    mmu.invalidate(spaceID: 1, range: VirtualRange(VirtualAddress(kernel), bytes: 4096))
    #expect(mmu.physical(kernel, other) == 0x4000_0000)
    mmu.invalidateEveryone(range: VirtualRange(VirtualAddress(kernel), bytes: 4096))
    #expect(mmu.fault(kernel, other) == .notMapped)
  }

  @Test func tagsKeepAllAddressBits() {
    // Pages that agree in all but one bit, and in the same set of a one-set TLB.
    let hardware = fixture.hardware(Self.only(data: .unified(64, 64)))
    let places = (12..<47).map { UInt64(1) << UInt64($0) } + [0xffff_8000_0000_0000]
    for (index, place) in places.enumerated() { fixture.map(place, to: UInt64(index + 512) << 12) }
    for _ in 0..<2 {
      for (index, place) in places.enumerated() {
        #expect(hardware.mmu.physical(place, fixture.root) == UInt64(index + 512) << 12)
      }
    }
    #expect(hardware.mmu.statistics.total.walks == UInt64(places.count))
  }
}

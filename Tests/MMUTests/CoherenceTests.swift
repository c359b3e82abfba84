// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory
import Testing

/// When TLB entries are trusted, checked again, and dropped.
@Suite struct CoherenceTests {
  let fixture: Fixture
  let hardware: SimulatedMMU<RadixWalker>
  var mmu: MMU<RadixWalker> { hardware.mmu }
  let page: UInt64 = 0x7f00_0000_1000

  init() throws {
    fixture = try Fixture()
    hardware = fixture.hardware()
  }

  @Test func entriesStayUntilInvalidated() {
    let place = fixture.map(page, to: 0x5000)
    #expect(mmu.physical(page, fixture.root) == 0x5000)
    fixture.memory.storeRelease(0x6000 | Fixture.readWrite, at: place)
    #expect(mmu.physical(page, fixture.root) == 0x5000, "stale, as on x86")
    mmu.invalidate(spaceID: 1, range: VirtualRange(page: VirtualAddress(page), .base))
    #expect(mmu.physical(page, fixture.root) == 0x6000)
  }

  @Test func firstStoreThroughACleanEntryWalksAgain() {
    let place = fixture.map(page, to: 0x5000)
    #expect(mmu.physical(page, .load, fixture.root) == 0x5000)
    #expect(fixture.memory.loadRelaxed(place) & X86Entry.dirty == 0)
    #expect(mmu.physical(page, .store, fixture.root) == 0x5000)
    #expect(fixture.memory.loadRelaxed(place) & X86Entry.dirty != 0)
    #expect(mmu.statistics[.store].rewalks == 1 && mmu.statistics[.store].misses == 0)
    #expect(mmu.physical(page, .store, fixture.root) == 0x5000)
    #expect(mmu.statistics[.store].firstLevelHits == 1)
    // Software cleans the entry and tells nobody: the TLB goes on believing that it is dirty.
    _ = fixture.memory.fetchAnd(~X86Entry.dirty, at: place)
    #expect(mmu.physical(page, .store, fixture.root) == 0x5000)
    #expect(fixture.memory.loadRelaxed(place) & X86Entry.dirty == 0)
    mmu.invalidate(spaceID: 1, range: nil)
    #expect(mmu.physical(page, .store, fixture.root) == 0x5000)
    #expect(fixture.memory.loadRelaxed(place) & X86Entry.dirty != 0)
  }

  @Test func staleReadOnlyEntryIsNoReasonForAFault() {
    let place = fixture.map(page, to: 0x5000, flags: Fixture.readOnly)
    #expect(mmu.physical(page, .load, fixture.root) == 0x5000)
    fixture.memory.storeRelease(0x6000 | Fixture.readWrite, at: place)
    #expect(mmu.physical(page, .store, fixture.root) == 0x6000)
    #expect(mmu.physical(page, .load, fixture.root) == 0x6000)
    for name in [TLBName.data, .second] {
      #expect(
        mmu.cached(VirtualAddress(page), spaceID: 1, in: name) == Fixture.translation(0x6000, dirty: true))
    }
  }

  @Test func staleSecondLevelEntryIsNoReasonForAFault() {
    let place = fixture.map(page, to: 0x5000, flags: Fixture.readOnly | X86Entry.noExecute)
    #expect(mmu.physical(page, .load, fixture.root) == 0x5000)
    fixture.memory.storeRelease(0x5000 | Fixture.readOnly, at: place)
    #expect(mmu.physical(page, .fetch, fixture.root) == 0x5000)
    #expect(mmu.statistics[.fetch].rewalks == 1)
  }

  @Test func faultDropsEveryEntryOfItsPage() {
    fixture.map(page, to: 0x5000, flags: Fixture.readOnly)
    #expect(mmu.physical(page, .load, fixture.root) == 0x5000)
    #expect(mmu.physical(page, .fetch, fixture.root) == 0x5000)
    #expect(mmu.fault(page, .store, fixture.root) == .notWritable)
    #expect(mmu.cachedEntries.isEmpty)
    #expect(mmu.statistics[.store].faults == 1)
  }

  @Test func faultsAreNeverCached() {
    #expect(mmu.fault(page, fixture.root) == .notMapped)
    fixture.map(page, to: 0x5000)
    #expect(mmu.physical(page, fixture.root) == 0x5000)
  }

  @Test func supervisorEntriesRefuseTheUser() {
    fixture.map(page, to: 0x5000, flags: Fixture.present)
    let address = VirtualAddress(page)
    #expect(mmu.translate(address, .load, fixture.root, isUser: false) == .physical(PhysicalAddress(0x5000)))
    #expect(mmu.fault(page, fixture.root) == .notUser)
    #expect(mmu.fault(page, .store, fixture.root, isUser: false) == .notWritable)
  }

  @Test func hugeEntryGoesWithAnyAddressInIt() {
    for (level, size) in [(1, PageSize.twoMiB), (2, .oneGiB)] {
      let start = UInt64(level) << 40
      fixture.map(start, to: 0x4000_0000, level: level)
      #expect(mmu.physical(start + 0x1234, fixture.root) == 0x4000_1234)
      mmu.invalidate(
        spaceID: 1, range: VirtualRange(VirtualAddress(start + size.bytes - 4096), bytes: 4096))
      #expect(mmu.cachedEntries.isEmpty, "\(size)")
    }
  }

  @Test func rangeInvalidationTakesExactlyItsPages() {
    let start: UInt64 = 0x10_0000
    for (first, count) in [(3, 4), (0, 1), (5, 59), (63, 1), (10, 0)] as [(UInt64, UInt64)] {
      for page in 0..<64 as Range<UInt64> {
        fixture.map(start + page << 12, to: (page + 100) << 12)
        _ = mmu.physical(start + page << 12, fixture.root)
      }
      mmu.invalidate(
        spaceID: 1, range: VirtualRange(VirtualAddress(start + first << 12), bytes: count << 12))
      for page in 0..<64 as Range<UInt64> {
        let isGone = page >= first && page < first + count
        let held = mmu.cached(VirtualAddress(start + page << 12), spaceID: 1, in: .second)
        #expect((held == nil) == isGone, "page \(page) of \(first)+\(count)")
      }
    }
  }

  @Test func rangesReachTheTopOfTheAddressSpace() {
    let top: UInt64 = 0xffff_ffff_ffff_f000
    fixture.map(top, to: 0x5000)
    #expect(mmu.physical(top, fixture.root) == 0x5000)
    let range = VirtualRange(VirtualAddress(0xffff_8000_0000_0000), VirtualAddress(0))
    mmu.invalidate(spaceID: 1, range: range)
    #expect(mmu.cachedEntries.isEmpty)
    #expect(mmu.walker.cachedTables.isEmpty)
  }

  @Test func wholeSpaceGoesAndOthersStay() {
    let other = fixture.otherRoot(spaceID: 2)
    fixture.map(page, to: 0x5000)
    fixture.map(page, to: 0x6000, root: other)
    _ = (mmu.physical(page, fixture.root), mmu.physical(page, other))
    mmu.invalidate(spaceID: 1, range: nil)
    #expect(Set(mmu.cachedEntries.map(\.spaceID)) == [2])
    mmu.flushAll()
    #expect(mmu.cachedEntries.isEmpty && mmu.walker.cachedTables.isEmpty)
  }

  @Test func statisticsAddUp() {
    fixture.map(page, to: 0x5000)
    let cheap = fixture.hardware(costs: CycleCosts(round: 10, update: 100))
    var steps = WalkSteps()
    _ = cheap.mmu.translate(VirtualAddress(page), .load, fixture.root, isUser: true, recorder: &steps)
    #expect(steps.count == 4)
    #expect(cheap.mmu.statistics.walkReferences == 4 && cheap.mmu.statistics.walkRounds == 4)
    #expect(cheap.mmu.statistics.walkUpdates == 4)
    #expect(cheap.mmu.statistics.walkCycles == 4 * 10 + 4 * 100 + 3)
    _ = cheap.mmu.physical(page, fixture.root)
    _ = cheap.mmu.fault(page + 0x1000, fixture.root)
    let load = cheap.mmu.statistics[.load]
    #expect(load.lookups == 3 && load.walks == 2 && load.faults == 1 && load.firstLevelHits == 1)
    #expect(cheap.mmu.statistics.total == load)
    cheap.mmu.resetStatistics()
    #expect(cheap.mmu.statistics.total == AccessStatistics())
    #expect(cheap.mmu.physical(page, fixture.root) == 0x5000 && cheap.mmu.statistics.walkCycles == 0)
  }
}

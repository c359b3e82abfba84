// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory
import Testing

/// Page-walk caches: what they save, and that they never say what an invalidation took back.
@Suite struct WalkCacheTests {
  let fixture: Fixture
  let hardware: SimulatedMMU<RadixWalker>
  var walker: RadixWalker { hardware.mmu.walker }
  let address: UInt64 = 0x7f12_3440_0000

  init() throws {
    fixture = try Fixture()
    hardware = fixture.hardware()
    fixture.map(address, to: 0x5000)
    fixture.map(address + 0x1000, to: 0x6000)
  }

  func walk(_ address: UInt64, _ access: AccessKind = .load, _ root: RadixRoot? = nil) -> WalkResult {
    walker.walk(root ?? fixture.root, VirtualAddress(address), access, isUser: true)
  }

  @Test func deepestKnownTableIsWhereAWalkStarts() {
    fixture.map(address + (1 << 21), to: 0x7000)
    fixture.map(address + (1 << 30), to: 0x8000)
    fixture.map(address - (1 << 39), to: 0x9000)
    #expect(walk(address).references == 4)
    #expect(walk(address).ownCycles == 1)
    #expect(walk(address + 0x1000).outcome == .translated(Fixture.translation(0x6000)))
    #expect(walk(address + 0x1000).references == 1)
    let sameGiB = walk(address + (1 << 21))
    #expect(sameGiB.references == 2 && sameGiB.ownCycles == 2)
    let same512GiB = walk(address + (1 << 30))
    #expect(same512GiB.references == 3 && same512GiB.ownCycles == 3)
    let elsewhere = walk(address - (1 << 39))
    #expect(elsewhere.references == 4 && elsewhere.ownCycles == 3)
  }

  @Test func entriesNameSpanAndTable() {
    _ = walk(address)
    let entries = walker.cachedTables.sorted { $0.level < $1.level }
    #expect(entries.map(\.level) == [1, 2, 3])
    for entry in entries {
      let raw = fixture.memory.loadRelaxed(fixture.entry(address, level: entry.level))
      #expect(entry.table == X86Entry(raw).table && entry.spaceID == 1)
      #expect(entry.range == VirtualRange(page: VirtualAddress(address), RadixFormat.span(entry.level)))
    }
  }

  @Test func cachedRightsRestrict() {
    let directory = fixture.entry(address, level: 1)
    _ = fixture.memory.fetchAnd(~X86Entry.writable, at: directory)
    #expect(walk(address).translation?.isWritable == false)
    #expect(walk(address + 0x1000).references == 1)
    #expect(walk(address + 0x1000).translation?.isWritable == false)
    #expect(walk(address + 0x1000, .store).fault == .notWritable)
  }

  @Test func rightsAddedWithoutInvalidationAreSeenBeforeAFault() {
    let directory = fixture.entry(address, level: 1)
    _ = fixture.memory.fetchAnd(~X86Entry.writable, at: directory)
    _ = walk(address)
    _ = fixture.memory.fetchOr(X86Entry.writable, at: directory)
    let result = walk(address, .store)
    #expect(result.translation?.isWritable == true)
    #expect(result.references == 5, "one from the cache, four from the root")
    #expect(walk(address, .store).references == 1, "the cache has the new rights")
  }

  @Test func faultDropsTheEntriesOfItsAddress() {
    _ = walk(address)
    #expect(walk(address + 0x2000).fault == .notMapped)
    #expect(walker.cachedTables.isEmpty)
    #expect(walk(address).references == 4)
  }

  @Test(arguments: [1, 2, 3]) func replacedTableIsUsedAfterInvalidation(level: Int) {
    _ = walk(address)
    // A copy of the tables below `level` that map the address elsewhere.
    let other = fixture.otherRoot(spaceID: 9)
    fixture.map(address, to: 0xA000, root: other)
    let raw = fixture.memory.loadRelaxed(fixture.entry(address, level: level, root: other))
    fixture.memory.storeRelease(raw, at: fixture.entry(address, level: level))
    hardware.mmu.invalidate(spaceID: 2, range: nil)
    #expect(walk(address).translation?.page.raw == 0x5000, "another space's invalidation is not ours")
    hardware.mmu.invalidate(
      spaceID: 1, range: VirtualRange(VirtualAddress(address + 0x3000), bytes: 0x1000))
    #expect(walk(address).translation?.page.raw == 0xA000)
  }

  @Test func invalidationElsewhereKeepsEntries() {
    _ = walk(address)
    hardware.mmu.invalidate(spaceID: 1, range: VirtualRange(VirtualAddress(address + (1 << 21)), bytes: 4096))
    #expect(walker.cachedTables.map(\.level) == [1])
    hardware.mmu.invalidate(spaceID: 1, range: VirtualRange(VirtualAddress(address), bytes: 0))
    #expect(walker.cachedTables.map(\.level) == [1])
    hardware.mmu.invalidateEveryone(range: VirtualRange(VirtualAddress(address), bytes: 1))
    #expect(walker.cachedTables.isEmpty)
  }

  @Test func spacesDoNotShareEntries() {
    let other = fixture.otherRoot(spaceID: 2)
    fixture.map(address, to: 0xB000, root: other)
    #expect(walk(address).translation?.page.raw == 0x5000)
    #expect(walk(address, .load, other).translation?.page.raw == 0xB000)
    #expect(walk(address).references == 1 && walk(address, .load, other).references == 1)
    hardware.mmu.invalidate(spaceID: 1, range: nil)
    #expect(walk(address, .load, other).references == 1)
    #expect(walk(address).references == 4)
  }

  @Test func probesNeitherUseNorFillCaches() {
    let silent = walker.probe(fixture.root, VirtualAddress(address), .load, isUser: true)
    #expect(silent.references == 4 && walker.cachedTables.isEmpty)
    _ = walk(address)
    #expect(walker.probe(fixture.root, VirtualAddress(address), .load, isUser: true).references == 4)
  }
}

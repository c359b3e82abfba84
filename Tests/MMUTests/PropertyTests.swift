// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory
import Testing

/// Random tables and accesses against a walk that is written as plainly as the manual.
@Suite struct PropertyTests {
  /// The answer that the tables give now, in the bits of `Translation` but dirty; nil is a fault.
  func naive(_ fixture: Fixture, _ root: RadixRoot, _ address: UInt64, _ access: AccessKind, _ user: Bool)
    -> UInt64?
  {
    let memory = fixture.memory
    var (table, write, mode, execute) = (root.table.raw, true, true, true)
    for shift in [39, 30, 21, 12] as [UInt64] {
      let raw = memory.loadRelaxed(PhysicalAddress(table + (address >> shift & 511) * 8))
      if raw & 1 == 0 { return nil }
      write = write && raw & 2 != 0
      mode = mode && raw & 4 != 0
      execute = execute && raw >> 63 == 0
      table = raw & 0x000F_FFFF_FFFF_F000
      if shift == 12 || raw & 0x80 != 0 {
        let mask = (UInt64(1) << shift) - 1
        if shift == 39 || (shift > 12 && table & mask & ~0x1000 != 0) { return nil }
        if user && !mode || access == .store && !write || access == .fetch && !execute { return nil }
        return table & ~mask + address & mask
      }
    }
    return nil
  }

  /// Few addresses, so that steps meet: 2 top entries × 2 × 2 directories × 4 pages.
  func address(_ generator: inout SeededGenerator) -> UInt64 {
    let bits = generator.next() >> 20
    return (bits & 1) * 0xffff_ff80_0000_0000 + (bits >> 1 & 1) << 30 + (bits >> 2 & 1) << 21
      + (bits >> 3 & 3) << 12 + (bits >> 5 & 0xff8)
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func answersAreThoseOfTheTablesWhenEveryChangeIsAnnounced(seed: UInt64) throws {
    let fixture = try Fixture()
    let other = fixture.otherRoot(spaceID: 2)
    let tiny = TLBConfiguration(
      fetch: .unified(6, 2),
      data: TLBLevelConfiguration(
        base: TLBGeometry(entries: 6, ways: 2), twoMiB: .own(TLBGeometry(entries: 3, ways: 3)), oneGiB: .none),
      second: .unified(15, 5))
    let hardware = fixture.hardware(seed % 2 == 0 ? .standard : tiny)
    let mmu = hardware.mmu
    var generator = SeededGenerator(seed: seed)
    var pages = 0
    for step in 0..<4000 {
      let root = generator.next() >> 40 & 1 == 0 ? fixture.root : other
      let place = address(&generator)
      if step % 4 == 0 {
        let (change, extra) = change(fixture, root, place, &generator)
        if !extra { mmu.invalidate(spaceID: root.spaceID, range: change) }
        continue
      }
      let access = AccessKind.allCases[Int(generator.next() >> 40 % 3)]
      let user = generator.next() >> 40 & 3 != 0
      let expected = naive(fixture, root, place, access, user)
      let probe = mmu.walker.probe(root, VirtualAddress(place), access, isUser: user)
      #expect(probe.translation?.physical(VirtualAddress(place)).raw == expected, "probe, step \(step)")
      switch mmu.translate(VirtualAddress(place), access, root, isUser: user) {
      case .physical(let physical):
        pages += 1
        #expect(physical.raw == expected, "seed \(seed), step \(step)")
      case .fault(let fault):
        #expect(expected == nil, "seed \(seed), step \(step)")
        #expect(probe.fault == fault.reason)
      }
    }
    #expect(pages > 300)
    checkEntries(mmu, fixture, other)
  }

  /// Changes one entry at random.
  /// - Returns: the range to invalidate, and whether the change needs none because it only adds rights.
  func change(
    _ fixture: Fixture, _ root: RadixRoot, _ place: UInt64, _ generator: inout SeededGenerator
  ) -> (VirtualRange, Bool) {
    let level = [0, 0, 0, 0, 1, 1, 2][Int(generator.next() >> 40 % 7)]
    var path = RadixFormat.rootLevel
    while path > level {
      let raw = fixture.memory.loadRelaxed(fixture.entry(place, level: path, root: root))
      if raw & 1 != 0 && raw & 0x80 != 0 { break }
      path -= 1
    }
    let entry = fixture.entry(place, level: path, root: root)
    let range = VirtualRange(page: VirtualAddress(place), RadixFormat.span(path))
    let old = fixture.memory.loadRelaxed(entry)
    let isLeaf = path == 0 || old & 0x80 != 0
    switch generator.next() >> 40 % 8 {
    case 0:
      fixture.memory.storeRelease(0, at: entry)
    case 1 where old & 1 != 0:
      fixture.memory.storeRelease(old & ~X86Entry.writable, at: entry)
    case 2 where old & 1 != 0:
      fixture.memory.storeRelease(old & ~X86Entry.user | X86Entry.noExecute, at: entry)
    case 3,
      4 where old & 1 != 0:
      // More rights than before: x86 needs no invalidation.
      fixture.memory.storeRelease((old | X86Entry.writable | X86Entry.user) & ~X86Entry.noExecute, at: entry)
      return (range, old & 1 != 0)
    default:
      guard isLeaf || old & 1 == 0 else { return (range, true) }
      let size = RadixFormat.span(path)
      let page = (generator.next() >> 30 % (fixture.memory.bytes >> UInt64(size.shift))) << UInt64(size.shift)
      let flags = Fixture.readWrite | (path > 0 ? Fixture.huge : 0)
      fixture.memory.storeRelease(page | flags, at: entry)
      // From not present to present: x86 needs no invalidation.
      return (range, old & 1 == 0)
    }
    return (range, false)
  }

  /// Every TLB entry says where the tables send the first and the last byte of its page.
  func checkEntries(_ mmu: MMU<RadixWalker>, _ fixture: Fixture, _ other: RadixRoot) {
    #expect(!mmu.cachedEntries.isEmpty)
    for entry in mmu.cachedEntries {
      let root = entry.spaceID == 1 ? fixture.root : other
      for address in [entry.range.start.raw, entry.range.start.raw + entry.translation.size.mask] {
        let answer = naive(fixture, root, address, .load, false)
        #expect(answer == entry.translation.physical(VirtualAddress(address)).raw)
      }
    }
  }
}

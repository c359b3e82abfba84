// SPDX-License-Identifier: MIT
import EntryFormats
import MMU
import SimMemory
import Testing

/// What a walk without walk caches reads, answers and refuses.
@Suite struct RadixWalkTests {
  let fixture: Fixture
  let hardware: SimulatedMMU<RadixWalker>
  var walker: RadixWalker { hardware.mmu.walker }
  let address: UInt64 = 0x7f12_3456_7000
  static let user = Fixture.readWrite

  init() throws {
    fixture = try Fixture()
    hardware = fixture.hardware(.standard, .withoutCaches)
  }

  func walk(_ address: UInt64, _ access: AccessKind = .load, isUser: Bool = true) -> WalkResult {
    walker.walk(fixture.root, VirtualAddress(address), access, isUser: isUser)
  }

  @Test(arguments: [(0, 0x5000 as UInt64), (1, 0x60_0000), (2, 0x4000_0000)])
  func everyLeafSizeIsFoundInOneReferencePerLevel(level: Int, page: UInt64) throws {
    fixture.map(address, to: page, level: level)
    let size = RadixFormat.span(level)
    let result = walk(address + 0xabc)
    #expect(result.outcome == .translated(Fixture.translation(page, size)))
    #expect(result.references == 4 - UInt16(level) && result.rounds == result.references)
    let physical = try #require(result.translation).physical(VirtualAddress(address + 0xabc))
    #expect(physical.raw == page + (address + 0xabc) & size.mask)
  }

  @Test func stepsAreEntriesFromRootToLeaf() {
    fixture.map(address, to: 0x5000)
    var recorder = WalkSteps()
    let places = (0...3).reversed().map { fixture.entry(address, level: $0) }
    let values = places.map { fixture.memory.loadRelaxed($0) }
    _ = walker.probe(fixture.root, VirtualAddress(address), .load, isUser: true, recorder: &recorder)
    let expected = (0..<4).map {
      WalkStep(.node, index: UInt8(3 - $0), round: UInt16($0), address: places[$0], value: values[$0])
    }
    #expect(recorder.steps == expected)
    #expect(recorder.count == 4)
  }

  #if DEBUG
    @Test func accessLogShowsReadsAndMarks() {
      fixture.map(address, to: 0x5000)
      let places = (0...3).reversed().map { fixture.entry(address, level: $0) }
      let old = places.map { fixture.memory.loadRelaxed($0) }
      let log = AccessLog()
      fixture.simulated.attach(log: log)
      defer { fixture.simulated.attach(log: nil) }
      _ = walk(address, .store)
      var expected: [MemoryAccess] = []
      for (index, place) in places.enumerated() {
        let bits = index == 3 ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
        expected.append(MemoryAccess(.hardware, .load, place, old[index]))
        expected.append(MemoryAccess(.hardware, .store, place, old[index] | bits))
      }
      #expect(log.accesses == expected)
      log.removeAll()
      _ = walk(address, .store)
      #expect(log.accesses.map(\.kind) == [.load, .load, .load, .load], "marks are written once")
    }

    @Test func changedEntryIsReadAgain() {
      let place = fixture.map(address, to: 0x5000)
      let memory = fixture.memory
      let log = AccessLog { access in
        if access.address == place, access.kind == .load, access.value & X86Entry.addressMask == 0x5000 {
          memory.storeRelease(0x6000 | Fixture.readOnly, at: place)
        }
      }
      fixture.simulated.attach(log: log)
      let result = walk(address)
      fixture.simulated.attach(log: nil)
      #expect(result.outcome == .translated(Fixture.translation(0x6000, writable: false)))
      #expect(result.references == 5)
      #expect(memory.loadRelaxed(place) == 0x6000 | Fixture.readOnly | X86Entry.accessed)
    }

    @Test func removedEntryIsNotMarked() {
      let place = fixture.map(address, to: 0x5000)
      let memory = fixture.memory
      let log = AccessLog { access in
        if access.address == place, access.kind == .load { memory.storeRelease(0, at: place) }
      }
      fixture.simulated.attach(log: log)
      let result = walk(address, .store)
      fixture.simulated.attach(log: nil)
      #expect(result.fault == .notMapped)
      #expect(memory.loadRelaxed(place) == 0)
    }
  #endif

  @Test(arguments: 0...3) func absentEntryAtAnyLevelFaults(level: Int) {
    let place = fixture.entry(address, level: level)
    #expect(walk(address).fault == .notMapped)
    #expect(walk(address).references == UInt16(4 - level))
    // Neither swap entries nor pages without access rights are present.
    for raw in [X86Entry.swap | 7 << X86Entry.swapOffsetShift, X86Entry.global | 0x5000] {
      fixture.memory.storeRelaxed(raw, at: place)
      #expect(walk(address).fault == .notMapped)
      #expect(fixture.memory.loadRelaxed(place) == raw)
    }
  }

  @Test(arguments: 0...3) func rightsAreGrantedByAllLevelsTogether(level: Int) {
    fixture.map(address, to: 0x5000)
    let place = fixture.entry(address, level: level)
    let full = fixture.memory.loadRelaxed(place)
    fixture.memory.storeRelaxed(full & ~X86Entry.writable, at: place)
    #expect(walk(address, .store).fault == .notWritable)
    #expect(walk(address, .store, isUser: false).fault == .notWritable)
    #expect(walk(address).translation?.isWritable == false)
    fixture.memory.storeRelaxed(full & ~X86Entry.user, at: place)
    #expect(walk(address).fault == .notUser)
    #expect(walk(address, isUser: false).translation?.isUser == false)
    fixture.memory.storeRelaxed(full | X86Entry.noExecute, at: place)
    #expect(walk(address, .fetch).fault == .notExecutable)
    #expect(walk(address, .store).translation?.isExecutable == false)
  }

  @Test func reservedBitsAndPagesOutsideMemoryAreMalformed() {
    let present = Fixture.readWrite
    let cases: [(Int, UInt64)] = [
      (3, 0x4000_0000 | Fixture.huge | present), (2, 0x4000_2000 | Fixture.huge | present),
      (1, 0x20_4000 | Fixture.huge | present), (0, 0x1_0000_0000 | present), (1, 0x1_0000_0000 | present),
      (2, 0x1_0000_0000 | Fixture.huge | present), (3, X86Entry.addressMask | present),
    ]
    for (level, raw) in cases {
      let place = fixture.entry(address, level: level)
      let old = fixture.memory.exchange(raw, at: place)
      #expect(walk(address).fault == .malformed, "level \(level), entry \(String(raw, radix: 16))")
      fixture.memory.storeRelaxed(old, at: place)
    }
    let bad = RadixRoot(table: PhysicalAddress(1 << 40), spaceID: 1)
    #expect(walker.walk(bad, VirtualAddress(0), .load, isUser: true).fault == .malformed)
  }

  @Test func ignoredBitsMeanNothing() {
    let flags = Fixture.readWrite | X86Entry.schemeMask | X86Entry.protectionKeyMask | 0xE00
    fixture.map(address, to: 0x5000, flags: flags | X86Entry.attributeTable, upperFlags: flags)
    #expect(walk(address).outcome == .translated(Fixture.translation(0x5000)))
    fixture.map(1 << 40, to: 0x20_0000, level: 1, flags: flags | X86Entry.attributeTableHuge)
    #expect(walk(1 << 40).outcome == .translated(Fixture.translation(0x20_0000, .twoMiB)))
  }

  @Test func addressesAreCanonicalOrUnmapped() {
    fixture.map(0xffff_8000_0000_0000, to: 0x7000, flags: Fixture.present | X86Entry.global)
    let kernel = walker.walk(fixture.root, VirtualAddress(0xffff_8000_0000_0123), .load, isUser: false)
    #expect(
      kernel.outcome
        == .translated(Fixture.translation(0x7000, writable: false, user: false, global: true)))
    for address: UInt64 in [0x8000_0000_0000, 0xffff_7fff_ffff_f000, 1 << 56, 1 << 63, 0x1000_0000_0000_0000]
    {
      #expect(walk(address).outcome == .fault(.notMapped))
      #expect(walk(address).references == 0)
      #expect(hardware.mmu.fault(address, fixture.root) == .notMapped)
    }
  }

  @Test func accessedIsSetOnUseAndDirtyOnStoresOnly() {
    fixture.map(address, to: 0x5000)
    let places = (0...3).map { fixture.entry(address, level: $0) }
    func bits() -> [UInt64] {
      places.map { fixture.memory.loadRelaxed($0) & (X86Entry.accessed | X86Entry.dirty) }
    }
    #expect(bits() == [0, 0, 0, 0])
    #expect(
      walker.probe(fixture.root, VirtualAddress(address), .store, isUser: true).translation?.isDirty == true)
    #expect(bits() == [0, 0, 0, 0], "probes leave no trace")
    #expect(walk(address).updates == 4)
    #expect(bits() == [0x20, 0x20, 0x20, 0x20])
    #expect(walk(address, .fetch).updates == 0)
    #expect(walk(address, .store).updates == 1)
    #expect(bits() == [0x60, 0x20, 0x20, 0x20])
    #expect(walk(address).translation?.isDirty == true)
  }

  @Test func refusedAccessMarksTheWayButNotTheLeaf() {
    let leaf = fixture.map(address, to: 0x5000, flags: Fixture.readOnly)
    #expect(walk(address, .store).fault == .notWritable)
    #expect(fixture.memory.loadRelaxed(leaf) == 0x5000 | Fixture.readOnly)
    #expect(fixture.memory.loadRelaxed(fixture.entry(address, level: 1)) & X86Entry.accessed != 0)
  }

  @Test func errorCodesAreThoseOfX86() {
    #expect(TranslationFault(.notMapped, .load, isUser: true).errorCode == 0b00100)
    #expect(TranslationFault(.notWritable, .store, isUser: true).errorCode == 0b00111)
    #expect(TranslationFault(.notExecutable, .fetch, isUser: false).errorCode == 0b10001)
    #expect(TranslationFault(.malformed, .load, isUser: false).errorCode == 0b01001)
  }
}

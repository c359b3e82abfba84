// SPDX-License-Identifier: MIT
import ClusterTable
import ClusterTableSupport
import ECPT
import EMTCore
import EntryFormats
import MMU
import SimMemory
import Testing
import X86Object

/// Walk tables, walk caches, rounds.
@Suite struct WalkTests {
  func steps(_ rig: Rig, _ page: UInt64) -> (result: WalkResult, kinds: [WalkStep.Kind]) {
    var recorder = WalkSteps()
    let result = rig.walker.walk(
      rig.root, VirtualAddress(page << 12), .load, isUser: true, recorder: &recorder)
    #expect(recorder.count == Int(result.references))
    #expect(recorder.steps.allSatisfy { $0.round < result.rounds })
    return (result, recorder.steps.map(\.kind))
  }

  @Test func aWarmWalkReadsThreeWaysSideBySide() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(5, 50))
    let first = steps(rig, 5)
    #expect(first.kinds.filter { $0 == .descriptor }.count == 7)
    #expect(first.kinds.contains(.summary))
    let second = steps(rig, 5)
    #expect(second.kinds == [.slot, .slot, .slot])
    #expect(second.result.rounds == 1 && second.result.references == 3 && second.result.ownCycles == 2)
    try rig.end()
  }

  @Test func aLargePageIsReadFromTheOneWayThatItsHeaderNames() throws {
    let rig = try Rig(bytes: 8 << 30)
    try rig.insert(Rig.page(5, 50, .twoMiB))
    try rig.insert(Rig.page(9, 1, .oneGiB))
    _ = steps(rig, 5 << 9)
    #expect(steps(rig, 5 << 9).kinds == [.slot])
    _ = steps(rig, 9 << 18)
    #expect(steps(rig, 9 << 18).kinds == [.slot])
    // Base pages in the same section: both sizes are possible.
    try rig.insert(Rig.page(6 << 9, 7))
    rig.walker.invalidateEveryone(range: nil)
    _ = steps(rig, 5 << 9)
    #expect(steps(rig, 5 << 9).kinds.count == 4)
    #expect(Audit(rig.database).problems == [])
    try rig.end()
  }

  @Test func aStaleWalkCacheIsRepaired() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(0, 50))
    _ = steps(rig, 0)
    _ = steps(rig, 0)
    rig.database.settle(
      try rig.database.removeAll(in: VirtualRange(VirtualAddress(0), bytes: 1 << 30)) { _ in })
    try rig.insert(Rig.page(0, 3, .twoMiB))
    let repaired = steps(rig, 0)
    #expect(repaired.result.translation?.size == .twoMiB)
    #expect(repaired.result.rounds >= 2)
    let next = steps(rig, 0)
    #expect(next.result.rounds == 1 && next.result.references == 1)
    try rig.end()
  }

  @Test func aMissReadsEveryWay() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(0, 50))
    _ = steps(rig, 0)
    let miss = steps(rig, 1 << 18)
    #expect(miss.result.fault == .notMapped)
    #expect(miss.kinds.filter { $0 == .slot }.count == 9)
    try rig.end()
  }

  @Test func headersAreExactAfterRandomChanges() throws {
    let rig = try Rig(bytes: 16 << 30)
    var random = Random(17)
    var pages: [UInt64: PageSize] = [:]
    for step in 0..<1_500 {
      let size = [PageSize.base, .base, .twoMiB, .oneGiB][Int.random(in: 0..<4, using: &random)]
      // 24 GiB in three places, so that rows of several regions come and go.
      let spread = UInt64.random(in: 0..<3, using: &random) << 43
      let start = (spread + UInt64.random(in: 0..<8 << 30, using: &random)) & ~size.mask
      if let (old, oldSize) = pages.randomElement(using: &random), step % 2 == 0 {
        let address = VirtualAddress(old)
        #expect(rig.database.find(address).size == oldSize)
        try rig.remove(rig.database.find(address))
        pages[old] = nil
      }
      do {
        try rig.insert(Rig.page(start >> UInt64(size.shift), 0, size))
        pages[start] = size
      } catch TranslationError.sizeConflict {}
      if step % 100 == 0 { #expect(Audit(rig.database).problems == [], "step \(step)") }
    }
    for start in pages.keys {
      #expect(rig.walker.walk(rig.root, VirtualAddress(start), .load, isUser: true).translation != nil)
    }
    let everything = VirtualRange(VirtualAddress(0), VirtualAddress(1 << 47))
    #expect(rig.database.countMapped(in: everything) == pages.values.reduce(0) { $0 + $1.basePages })
    rig.database.settle(try rig.database.removeAll(in: everything) { pages[$0.start.raw] = nil })
    #expect(pages.isEmpty)
    let audit = Audit(rig.database)
    #expect(audit.problems == [] && audit.clusters.allSatisfy(\.isEmpty))
    try rig.end()
  }

  @Test func oneMoreBitOfTheHashLeavesHalfOfTheClustersInPlace() throws {
    var stayed = 0
    for number in 0..<UInt64(4096) {
      for way in 0..<3 {
        let hash = ECPTFormat.turn(HashFunction.murmurFinaliser.hash(number), way)
        let (small, large) = (hash & 1023, hash & 2047)
        #expect(large == small || large == small + 1024)
        if large == small { stayed += 1 }
      }
    }
    #expect(abs(stayed - 6144) < 300)
  }

  @Test func aProcessIsForgottenWithItsRows() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(0, 50))
    _ = steps(rig, 0)
    rig.walker.invalidate(spaceID: 1, range: nil)
    #expect(steps(rig, 0).kinds.contains(.summary))
    #expect(!steps(rig, 0).kinds.contains(.summary))
    try rig.end()
  }

  @Test func countsOfAlignedSpansNeedNoSearch() throws {
    let rig = try Rig()
    for page in 0..<UInt64(512) where page % 3 == 0 { try rig.insert(Rig.page(1024 + page, page)) }
    try rig.insert(Rig.page(7, 1, .twoMiB))
    let before = rig.machine.work[.lookup]
    #expect(rig.database.countMapped(in: VirtualRange(VirtualAddress(2 << 21), bytes: 1 << 21)) == 171)
    #expect(rig.database.countMapped(in: VirtualRange(VirtualAddress(0), bytes: 1 << 30)) == 171 + 512)
    #expect(rig.database.isVoid(VirtualRange(VirtualAddress(3 << 21), bytes: 1 << 21)))
    #expect(rig.database.isVoid(VirtualRange(VirtualAddress(1 << 30), bytes: 1 << 30)))
    #expect(!rig.database.isVoid(VirtualRange(VirtualAddress(0), bytes: 1 << 30)))
    #expect(rig.machine.work[.lookup] == before)
    #expect(rig.database.countMapped(in: VirtualRange(VirtualAddress(1025 << 12), bytes: 3 << 12)) == 1)
    try rig.end()
  }
}

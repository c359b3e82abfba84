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

/// Growing, shrinking, bounds and memory.
@Suite struct ElasticTests {
  /// The most that one of `operations` did: clusters moved, frames taken for tables.
  func most(_ rig: Rig, _ operations: some Sequence<UInt64>, _ body: (UInt64) throws -> Void) rethrows
    -> UInt64
  {
    var (most, before) = (UInt64(0), rig.machine.work[.clusterMove])
    for operation in operations {
      try body(operation)
      let after = rig.machine.work[.clusterMove]
      most = max(most, after - before)
      before = after
    }
    return most
  }

  @Test(arguments: ["ours", "emt", "paper"]) func noInsertionMovesMoreThanItsBound(preset: String) throws {
    let rig = try Rig(bytes: 1 << 30, options: ["preset": preset])
    let count: UInt64 = preset == "ours" ? 4_000 : 32_000
    let moves = try most(rig, 0..<count) { try rig.insert(Rig.page($0 &* 0x9E37_79B9 % (1 << 30), $0)) }
    #expect(moves <= 20)
    #expect(moves >= 4)
    let huge = try most(rig, 0..<500) { try rig.insert(Rig.page((1 << 25) + $0 * 8, 1, .twoMiB)) }
    #expect(huge <= 20)
    #expect(Audit(rig.database).problems == [])
    for page in 0..<count { #expect(rig.frame(page &* 0x9E37_79B9 % (1 << 30)) == page) }
    try rig.end()
  }

  @Test(arguments: ["ours", "emt", "paper"]) func tablesGrowAndShrinkWithoutLosingPages(preset: String) throws
  {
    let rig = try Rig(options: ["preset": preset])
    let start = rig.database.footprint
    let frames = rig.freeFrames
    for page in 0..<UInt64(3_000) { try rig.insert(Rig.page(page * 8, page)) }
    let full = rig.database.footprint
    #expect(full.total >= start.total && full.ways >= 3_000 * 64)
    let moves = try most(rig, stride(from: UInt64(2_990), to: 10, by: -10)) { page in
      let range = VirtualRange(VirtualAddress(page << 15), bytes: 10 << 15)
      rig.database.settle(try rig.database.removeAll(in: range) { _ in })
    }
    #expect(moves <= 20)
    #expect(rig.database.footprint.total < full.total || preset != "ours")
    for page in 0..<UInt64(10) { #expect(rig.frame(page * 8) == page) }
    #expect(rig.frame(20 * 8) == nil)
    #expect(Audit(rig.database).problems == [])
    rig.database.settle(
      try rig.database.removeAll(in: VirtualRange(VirtualAddress(0), bytes: 1 << 40)) { _ in })
    #expect(rig.database.footprint == TableFootprint(ways: 8192))
    #expect(rig.freeFrames >= frames)
    try rig.end()
  }

  @Test func threeWaysFillToThreeFifthsBeforeTheSmallestGrows() throws {
    let rig = try Rig()
    var load = 0.0
    for page in 0..<UInt64(2_000) {
      try rig.insert(Rig.page(page * 8, page))
      guard page % 50 == 0, page > 300 else { continue }
      let audit = Audit(rig.database)
      #expect(audit.problems == [])
      load = max(load, Double(audit.clusters[0].count) / Double(audit.slots[0]))
    }
    #expect(load > 0.55 && load < 0.68)
    try rig.end()
  }

  @Test(arguments: [3, 5, 6]) func pagesWhoseHashesCollideAreKept(bits: UInt64) throws {
    let rig = try Rig()
    // A crowd first, so that growing takes time.
    for page in 0..<UInt64(150) { try rig.insert(Rig.page((1 << 30) + page * 8, page)) }
    let numbers = colliding(bits, 40)
    let moves = try most(rig, numbers) { try rig.insert(Rig.page($0 * 8 + 1, $0 % 999)) }
    #expect(moves <= 20)
    for number in numbers { #expect(rig.frame(number * 8 + 1) == number % 999) }
    #expect(Audit(rig.database).problems == [])
    for number in numbers { try rig.remove(Rig.page(number * 8 + 1, 0)) }
    for page in 0..<UInt64(150) { #expect(rig.frame((1 << 30) + page * 8) == page) }
    try rig.end()
  }

  @Test func anInsertionWithoutRoomAndMemoryFailsAndChangesNothing() throws {
    let rig = try Rig(bytes: 64 << 20)
    let frames = rig.machine.platform.frames
    try rig.insert(Rig.page(1, 1))
    frames.injectFailure(after: 0, staysBroken: true)
    var inserted: [UInt64] = [0]
    while true {
      let number = UInt64(inserted.count)
      do { try rig.insert(Rig.page(number * 8 + 1, number)) } catch {
        #expect(error == .outOfMemory)
        break
      }
      inserted.append(number)
    }
    // All 24 slots, or nearly, and the stash.
    #expect(inserted.count > 24)
    let (free, footprint) = (rig.freeFrames, rig.database.footprint)
    #expect(throws: TranslationError.outOfMemory) { try rig.insert(Rig.page(999 * 8, 1)) }
    #expect(throws: TranslationError.outOfMemory) { try rig.insert(Rig.page(999 << 20, 1)) }
    #expect(rig.freeFrames == free && rig.database.footprint == footprint)
    #expect(rig.frame(999 * 8) == nil)
    for number in inserted where number > 0 { #expect(rig.frame(number * 8 + 1) == number) }
    // Undoing a removal does not need memory.
    for number in inserted where number > 0 {
      let old = rig.database.find(VirtualAddress((number * 8 + 1) << 12))
      try rig.remove(old)
      #expect(rig.frame(number * 8 + 1) == nil)
      try rig.insert(old)
    }
    frames.stopInjectingFailures()
    try rig.insert(Rig.page(999 * 8, 1))
    for number in inserted where number > 0 { #expect(rig.frame(number * 8 + 1) == number) }
    #expect(Audit(rig.database).problems == [])
    try rig.end()
  }

  @Test(arguments: 0..<24) func afterRefusedGrowthTheFirstInsertionWithMemoryFindsASlot(seed: UInt64) throws {
    let rig = try Rig(bytes: 64 << 20)
    let frames = rig.machine.platform.frames
    try rig.insert(Rig.page(seed << 20, 1))
    frames.injectFailure(after: 0, staysBroken: true)
    var number: UInt64 = 1
    do {
      while true {
        try rig.insert(Rig.page(seed << 20 | number * 8, number))
        number += 1
      }
    } catch { #expect(error == .outOfMemory) }
    frames.stopInjectingFailures()
    let moves = try most(rig, 0..<40) { try rig.insert(Rig.page(seed << 20 | (1000 + $0 * 3) * 8, $0)) }
    #expect(moves <= 20)
    for earlier in 1..<number { #expect(rig.frame(seed << 20 | earlier * 8) == earlier) }
    for later in 0..<UInt64(40) { #expect(rig.frame(seed << 20 | (1000 + later * 3) * 8) == later) }
    #expect(Audit(rig.database).problems == [])
    try rig.end()
  }

  /// With CRC-64 alone, whose windows take few of their values for consecutive keys, the tables had no place for these.
  @Test func aDenseRangeNeedsNoMoreThanItsTables() throws {
    let rig = try Rig(bytes: 1 << 30, options: ["preset": "paper"])
    for cluster in 0..<UInt64(120_000) { try rig.insert(Rig.page(cluster * 8, cluster)) }
    #expect(rig.frame(119_999 * 8) == 119_999)
  }

  @Test(arguments: 0..<16) func insertionsSurviveOrReportAnyFailedAllocation(nth: Int) throws {
    let rig = try Rig(bytes: 64 << 20)
    let frames = rig.machine.platform.frames
    frames.injectFailure(after: nth)
    var failed = 0
    for page in 0..<UInt64(600) {
      let before = (rig.freeFrames, rig.database.footprint)
      do { try rig.insert(Rig.page(page << 12, page)) } catch {
        failed += 1
        #expect(rig.freeFrames == before.0 && rig.database.footprint == before.1)
        #expect(rig.frame(page << 12) == nil)
        try rig.insert(Rig.page(page << 12, page))
      }
    }
    #expect(frames.stopInjectingFailures() > UInt64(nth))
    #expect(failed <= 1)
    for page in 0..<UInt64(600) { #expect(rig.frame(page << 12) == page) }
    #expect(Audit(rig.database).problems == [])
    try rig.end()
  }

  @Test func footprintsAreExactAndSmall() throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 1 << 30))
    let before = machine.platform.frames.freeFrames
    let service = try ECPTService.boot(machine.platform, options: DriverOptions())
    let database = try service.makeDatabase(Rig.context(machine.platform, service))
    #expect(database.footprint.total <= 64 << 10)
    #if DEBUG
      let pages: UInt64 = 1 << 15
    #else
      let pages: UInt64 = 1 << 20
    #endif
    database.settle(try database.insertRun(Rig.page(1 << 20, 0), count: pages))
    for page in 0..<pages where page % 7 == 0 {
      database.settle(
        try database.update(database.find(VirtualAddress((1 << 20 + page) << 12))).takeObligation())
    }
    let held = before - machine.platform.frames.freeFrames
    #expect(database.footprint.total + service.kernelDatabase.footprint.total == held * 4096)
    #expect(machine.work[.tableFrame] - machine.work[.tableFrameFreed] == held)
    #expect(Double(database.footprint.total) / Double(pages) <= 17.6)
    try service.destroy(database)
    database.context.destroy()
    service.shutDown()
    #expect(machine.platform.frames.freeFrames == before)
  }

  @Test func sparsePagesCostLittle() throws {
    let rig = try Rig()
    #if DEBUG
      let pages: UInt64 = 1 << 12
    #else
      let pages: UInt64 = 1 << 20
    #endif
    for page in 0..<pages { try rig.insert(Rig.page(page * 64, page % 1000)) }
    for page in 0..<pages { try rig.insert(Rig.page(page * 64, page % 1000)) }
    #expect(Double(rig.database.footprint.total) / Double(pages) <= 150)
    let audit = Audit(rig.database)
    #expect(audit.problems == [])
    try rig.end()
  }
}

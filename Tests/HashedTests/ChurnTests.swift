// SPDX-License-Identifier: MIT
import ClusterTable
import ClusterTableSupport
import EMTCore
import EntryFormats
import Hashed
import MMU
import SimMemory
import Testing
import X86Object

@Suite struct ChurnTests {
  /// Probes for each of `lookups` hits.
  func probes(_ rig: Rig, _ pages: [UInt64]) -> Double {
    let before = rig.machine.work
    for page in pages { _ = rig.database.find(VirtualAddress(page << 12)) }
    let work = rig.machine.work - before
    return 1 + Double(work[.extraProbe]) / Double(work[.lookup])
  }

  @Test func aMillionInsertionsAndRemovalsDoNotLengthenSearches() throws {
    let rig = try Rig()
    var random = Random(3)
    // Clusters scattered over 2 TiB, none twice.
    var scattered = (1...).lazy.map { UInt64($0) &* 0x9E37_79B1 % (1 << 26) << 3 }.makeIterator()
    var pages = (0..<4000).compactMap { _ in scattered.next() }
    for page in pages { try rig.insert(Rig.page(page, 1)) }
    let fresh = probes(rig, pages)
    let (before, ways) = (rig.machine.work, rig.database.footprint.ways)
    #if DEBUG
      let turns = 100_000
    #else
      let turns = 2_000_000
    #endif
    for turn in 0..<turns {
      let index = Int(random.next() % UInt64(pages.count))
      try rig.remove(Rig.page(pages[index], 1))
      pages[index] = scattered.next() ?? 0
      try rig.insert(Rig.page(pages[index], UInt64(turn % 1000)))
    }
    let work = rig.machine.work - before
    #expect(probes(rig, pages) < 1.9)
    #expect(abs(probes(rig, pages) - fresh) < 0.3)
    #expect(work[.clusterMove] < UInt64(turns))
    #expect(rig.database.footprint.ways == ways)
    try rig.end()
  }

  @Test func tablesFollowTheNumberOfPagesUpAndDown() throws {
    let rig = try Rig()
    var largest: UInt64 = 0
    for page in 0..<UInt64(20_000) {
      try rig.insert(Rig.page(page * 8, page))
      largest = max(largest, rig.database.footprint.total)
    }
    // At most 16/5 slots for each cluster when just grown, and the old array beside it.
    #expect(largest <= 20_000 * 64 * 5)
    // Single removals keep the memory, because they may be undone; removals of ranges give it back.
    let most = rig.database.footprint.total
    for page in UInt64(19_000)..<20_000 { try rig.remove(Rig.page(page * 8, page)) }
    #expect(rig.database.footprint.total == most)
    for page in (0..<UInt64(19_000)).reversed() {
      let range = VirtualRange(VirtualAddress(page << 15), bytes: 1 << 15)
      rig.database.settle(try rig.database.removeAll(in: range) { _ in })
      let clusters = max(page, 64)
      #expect(rig.database.footprint.total <= clusters * 64 * 24)
    }
    #expect(rig.database.footprint.total == 4096)
    try rig.end()
  }

  @Test func removingARangeAtOnceGivesItsTablesBack() throws {
    let rig = try Rig()
    let frames = rig.freeFrames
    let run = try rig.database.insertRun(Rig.page(0, 0), count: 1 << 15)
    rig.database.settle(run)
    #expect(rig.freeFrames < frames)
    let all = VirtualRange(VirtualAddress(0), bytes: 1 << 27)
    rig.database.settle(try rig.database.removeAll(in: all) { _ in })
    #expect(rig.freeFrames == frames)
    #expect(rig.database.find(VirtualAddress(0)).size.shift == 47)
    try rig.end()
  }

  @Test func noOperationDoesMoreThanItsBound() throws {
    let rig = try Rig()
    var most: (moves: UInt64, frames: UInt64) = (0, 0)
    var before = rig.machine.work
    for page in 0..<UInt64(3_000) {
      try rig.insert(Rig.page(page * 8, page))
      let after = rig.machine.work
      most.moves = max(most.moves, after[.clusterMove] - before[.clusterMove])
      before = after
    }
    for page in 0..<UInt64(3_000) {
      try rig.remove(Rig.page(page * 8, page))
      let after = rig.machine.work
      most.moves = max(most.moves, after[.clusterMove] - before[.clusterMove])
      before = after
    }
    // Two steps of eight in an insertion, and the clusters that close a gap in a removal.
    #expect(most.moves >= 8)
    #expect(most.moves <= 8 + 64)
    try rig.end()
  }

  @Test(arguments: 0..<8) func insertionsSurviveAnyFailedAllocation(nth: Int) throws {
    let rig = try Rig(bytes: 64 << 20)
    let frames = rig.machine.platform.frames
    try rig.insert(Rig.page(0, 0))
    frames.injectFailure(after: nth)
    for page in 1..<UInt64(4_000) { try rig.insert(Rig.page(page * 8, page)) }
    #expect(frames.stopInjectingFailures() > UInt64(nth))
    for page in 0..<UInt64(4_000) { #expect(rig.frame(page * 8) == page) }
    try rig.end()
  }

  @Test func aFullTableWithoutMemoryRefusesAndChangesNothing() throws {
    let rig = try Rig(bytes: 64 << 20)
    let frames = rig.machine.platform.frames
    try rig.insert(Rig.page(0, 0))
    frames.injectFailure(after: 0, staysBroken: true)
    // Every one of the 32 first slots can be used.
    for page in 1..<UInt64(32) { try rig.insert(Rig.page(page * 8, page)) }
    let (free, footprint) = (rig.freeFrames, rig.database.footprint)
    let generation = rig.database.context.generation
    #expect(throws: TranslationError.outOfMemory) { try rig.insert(Rig.page(999 * 8, 1)) }
    let failed = RangeFailure(firstNotDone: VirtualAddress(40 * 8 << 12), reason: .outOfMemory)
    #expect(throws: failed) {
      rig.database.settle(try rig.database.insertRun(Rig.page(40 * 8, 7), count: 20))
    }
    #expect(rig.freeFrames == free && rig.database.footprint == footprint)
    #expect(rig.database.context.generation == generation)
    #expect(rig.frame(999 * 8) == nil)
    for page in 0..<UInt64(32) { #expect(rig.frame(page * 8) == page) }
    // Undoing a removal does not need memory, in a cluster that is left or in one that went.
    for page in 0..<UInt64(32) {
      let old = rig.database.find(VirtualAddress(page * 8 << 12))
      try rig.remove(old)
      #expect(rig.frame(page * 8) == nil)
      try rig.insert(old)
    }
    frames.stopInjectingFailures()
    try rig.insert(Rig.page(999 * 8, 1))
    #expect(rig.frame(999 * 8) == 1)
    for page in 0..<UInt64(32) { #expect(rig.frame(page * 8) == page) }
    try rig.end()
  }

  @Test func aServiceWithoutMemoryLeavesNothingBehind() throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 1 << 22))
    let before = machine.platform.frames.freeFrames
    machine.platform.frames.injectFailure(after: 0)
    #expect(throws: ServiceError.outOfMemory) {
      try HashedService.boot(machine.platform, options: DriverOptions())
    }
    #expect(machine.platform.frames.freeFrames == before)
  }

  @Test func longRunsOfCollisionsKeepEveryPage() throws {
    let rig = try Rig()
    // 300 clusters at home in one slot of a table of 512 or 1024: one long run.
    let numbers = Array(
      (1..<UInt64(2_000_000)).lazy.filter { HashedFormat.hash($0) & 1023 == 77 }.prefix(300))
    for number in numbers { try rig.insert(Rig.page(number * 8, number % 999)) }
    var random = Random(11)
    var gone = Set<UInt64>()
    for number in numbers.shuffled(using: &random).prefix(200) {
      let before = rig.machine.work[.clusterMove]
      try rig.remove(Rig.page(number * 8, 0))
      gone.insert(number)
      #expect(rig.machine.work[.clusterMove] - before <= 72)
    }
    for number in numbers {
      #expect(rig.frame(number * 8) == (gone.contains(number) ? nil : number % 999))
    }
    // Dead slots are used again, so the table does not grow without need.
    let size = rig.database.footprint
    for number in numbers where gone.contains(number) { try rig.insert(Rig.page(number * 8, number % 999)) }
    #expect(rig.database.footprint.total <= size.total * 2)
    for number in numbers { #expect(rig.frame(number * 8) == number % 999) }
    try rig.end()
  }
}

// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Testing

/// Flattened and ordinary nodes beside each other, what they weigh, and running out of memory.
@Suite struct NodeTests {
  @Test func withoutContiguousMemoryOrdinaryNodesServe() throws {
    func check<Shape: RadixShape>(_ shape: Shape.Type) throws {
      let machine = try TestMachine(shape, isFragmented: true)
      let user = machine.user
      let held = fragment(machine.frames)
      try user.put(page(1 << 39, frame: 5))
      #expect(try machine.levels(1 << 39) == [3, 2, 1, 0])
      #expect(user.footprint.nodes == 4 << 12)
      try user.put(page(1 << 39 + 2 << 20, .twoMiB, frame: 512))
      #expect(try machine.levels(1 << 39 + 2 << 20) == [3, 2, 1])
      for frame in held { machine.frames.free(frame) }
      // From here on there is contiguous memory: new nodes are flattened, old ones stay.
      try user.put(page(2 << 39, frame: 6))
      let steps = try machine.levels(2 << 39)
      #expect(steps == (Shape.mayFlatten(2) ? [3, 1, 0] : Shape.mayFlatten(1) ? [3, 2, 0] : [3, 2, 1, 0]))
      #expect(try machine.levels(1 << 39) == [3, 2, 1, 0])
      #expect(user.countMapped(in: range(0, 1 << 47)) == 514)
      // Pages move between both kinds.
      user.settle(try user.move(range(1 << 39, 1 << 39 + 4 << 20), to: VirtualAddress(2 << 39 + 4 << 20)))
      #expect(user.find(VirtualAddress(2 << 39 + 4 << 20)).frame == FrameNumber(5))
      #expect(user.find(VirtualAddress(2 << 39 + 6 << 20)).size == .twoMiB)
      user.settle(try user.removeAll(in: range(0, 1 << 47)) { _ in })
      #expect(user.footprint.nodes == 1 << 12)
      try machine.finish()
    }
    try check(FlattenedL3L2.self)
    try check(FlattenedL4L3.self)
    try check(FlattenedL4L3L2L1.self)
  }

  @Test func footprintsAreExact() throws {
    func check<Shape: RadixShape>(_ shape: Shape.Type, root: UInt64, one: UInt64) throws {
      let machine = try TestMachine(shape)
      let free = machine.frames.freeFrames
      #expect(machine.user.footprint.nodes == root << 12)
      try machine.user.put(page(1 << 39))
      #expect(machine.user.footprint.nodes == (root + one) << 12)
      #expect(machine.frames.freeFrames == free - one)
      machine.user.settle(try machine.user.removeAll(in: range(1 << 39, 2 << 39)) { _ in })
      #expect(machine.user.footprint.nodes == root << 12 && machine.frames.freeFrames == free)
      try machine.finish()
    }
    try check(FlattenedL3L2.self, root: 1, one: 513)
    try check(FlattenedL4L3.self, root: 512, one: 2)
    try check(FlattenedL4L3L2L1.self, root: 512, one: 512)
  }

  @Test func reusedBlocksAreCleared() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    for turn in 0..<3 as Range<UInt64> {
      machine.user.settle(try machine.user.insertRun(page(turn << 12), count: 700))
      #expect(machine.user.countMapped(in: range(0, 1 << 30)) == 700)
      try machine.user.put(page(9 << 21, .twoMiB, frame: 512))
      machine.user.settle(try machine.user.removeAll(in: range(0, 1 << 30)) { _ in })
      #expect(machine.user.isVoid(range(0, 1 << 47)))
    }
    try machine.finish()
  }

  @Test func onlyWhatWasLeftBehindIsCleared() throws {
    func check<Shape: RadixShape>(_ shape: Shape.Type) throws {
      let machine = try TestMachine(shape, bytes: 16 << 20)
      /// Makes a process with pages in two 2 MiB regions and ends it, and counts the frames that were given to its tables.
      func process(leaving isLeft: Bool) throws -> UInt64 {
        let before = machine.owner.work[.tableFrame]
        let context = DatabaseContext(
          platform: machine.owner.platform, spaceID: AddressSpaceID(2), pageSizes: machine.service.pageSizes)
        let database = try machine.service.makeDatabase(context)
        #expect(database.isVoid(range(0, 1 << 47)))
        for address in [0x40_0000, 0x7000_0000_0000] as [UInt64] {
          #expect(!database.find(VirtualAddress(address)).isMapped)
          database.settle(try database.insertRun(page(address), count: 3))
        }
        if !isLeft { database.settle(try database.removeAll(in: range(0, 1 << 47)) { _ in }) }
        try machine.service.destroy(database)
        context.destroy()
        return machine.owner.work[.tableFrame] - before
      }
      let first = try process(leaving: false)
      #expect(try process(leaving: false) == first)
      _ = try process(leaving: true)
      // Few of the frames of a flattened node held anything: at most one in each node was written to by each page's walk.
      let again = try process(leaving: true)
      #expect(again >= first && again <= first + 4)
      _ = try process(leaving: false)
      #expect(try process(leaving: false) == first)
      try machine.finish()
    }
    try check(FlattenedL3L2.self)
    try check(FlattenedL4L3.self)
    try check(FlattenedL4L3L2L1.self)
    try check(RadixFormat.self)
  }

  @Test func runningOutOfMemoryAtAnyAllocationChangesNothing() throws {
    func check<Shape: RadixShape>(_ shape: Shape.Type) throws {
      let machine = try TestMachine(shape)
      let (user, frames) = (machine.user, machine.frames)
      let held = fragment(frames)
      for size in [PageSize.base, .twoMiB] {
        let (free, bytes) = (frames.freeFrames, user.footprint)
        var failures = 0
        while !user.find(VirtualAddress(7 << 39)).isMapped, failures < 10 {
          frames.injectFailure(after: failures, staysBroken: true)
          do throws(TranslationError) {
            try user.put(page(7 << 39, size, frame: 512))
            frames.stopInjectingFailures()
          } catch {
            frames.stopInjectingFailures()
            #expect(error == .outOfMemory)
            #expect(frames.freeFrames == free && user.footprint == bytes)
            failures += 1
          }
        }
        #expect((1..<10).contains(failures))
        user.settle(try user.removeAll(in: range(7 << 39, 8 << 39)) { _ in })
      }
      for frame in held { frames.free(frame) }
      try machine.finish()
    }
    try check(FlattenedL3L2.self)
    try check(FlattenedL4L3.self)
    try check(FlattenedL4L3L2L1.self)
  }

  @Test func bootingWithoutMemoryLeaksNothing() throws {
    for count in 0..<2 {
      let owner = try SimulatedPlatform(MemoryGeometry(bytes: 4 << 20))
      let free = owner.platform.frames.freeFrames
      owner.platform.frames.injectFailure(after: count, staysBroken: true)
      let service = try? RadixTreeService<FlattenedL4L3>.boot(owner.platform, options: DriverOptions())
      owner.platform.frames.stopInjectingFailures()
      service?.shutDown()
      #expect((service == nil) == (count == 0))
      #expect(owner.platform.frames.freeFrames == free)
    }
  }
}

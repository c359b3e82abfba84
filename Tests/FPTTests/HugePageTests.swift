// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import FPT
import MMU
import Radix
import RadixSupport
import SimMemory
import Synchronization
import Testing
import X86Object

/// 2 MiB pages in flattened leaf nodes, which have no entry of that size.
@Suite struct HugePageTests {
  let start: UInt64 = 6 << 21

  @Test func bothWaysOfConflict() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let user = machine.user
    let (huge, last) = (page(start, .twoMiB, frame: 512), page(start + 511 << 12))
    try user.put(huge)
    for small in [page(start), last] {
      #expect(throws: TranslationError.sizeConflict(existing: huge.start, size: .twoMiB)) {
        try user.put(small)
      }
      #expect(throws: TranslationError.sizeConflict(existing: huge.start, size: .twoMiB)) {
        try user.drop(small)
      }
    }
    #expect(throws: TranslationError.sizeConflict(existing: huge.start, size: .twoMiB)) {
      try user.put(page(0, .oneGiB, frame: 0))
    }
    #expect(try user.drop(huge).entry == huge.entry)
    for small in [page(start), last] {
      try user.put(small)
      #expect(throws: TranslationError.sizeConflict(existing: small.start, size: .base)) {
        try user.put(huge)
      }
      #expect(throws: TranslationError.sizeConflict(existing: small.start, size: .base)) {
        try user.put(page(0, .oneGiB, frame: 0))
      }
      try user.drop(small)
    }
    let bytes = user.footprint.nodes
    try user.put(page(0, .oneGiB, frame: 0))
    #expect(user.footprint.nodes == bytes - 512 << 12, "the empty node went")
    try machine.finish()
  }

  @Test func whatWasKnownOfSinglePagesIsStale() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let user = machine.user
    let huge = page(start, .twoMiB, frame: 512)
    try user.put(page(start))
    var neighbour = user.find(VirtualAddress(start + 4096))
    var iterator = user.makeIterator(over: range(start, start + 2 << 20))
    #expect(user.next(&iterator).isMapped && neighbour.size == .base)
    try user.drop(page(start))
    try user.put(huge)
    neighbour.isPresent = true
    #expect(throws: TranslationError.sizeConflict(existing: huge.start, size: .twoMiB)) {
      try user.put(neighbour)
    }
    #expect(user.next(&iterator).size == .twoMiB && !user.hasNext(iterator))
    try machine.finish()
  }

  @Test func countsOfAlignedSpansReadNoLeaf() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let user = machine.user
    user.settle(try user.insertRun(page(1 << 30), count: 700))
    try user.put(page(1 << 30 + 8 << 20, .twoMiB, frame: 512))
    let log = AccessLog()
    machine.owner.memory.attach(log: log)
    #expect(user.countMapped(in: range(1 << 30, 2 << 30)) == 700 + 512)
    #expect(!user.isVoid(range(1 << 30 + 2 << 20, 1 << 30 + 4 << 20)))
    #expect(user.isVoid(range(1 << 30 + 4 << 20, 1 << 30 + 6 << 20)))
    machine.owner.memory.attach(log: nil)
    #if DEBUG
      #expect(log.accesses.count == 1 + 2 + 2)
    #endif
    try machine.finish()
  }

  @Test func voidsAreAsLargeAsKnown() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let user = machine.user
    #expect(user.find(VirtualAddress(start)).size == PageSize(shift: 39))
    try user.put(page(start))
    #expect(user.find(VirtualAddress(start + 4096)).size == .base)
    #expect(user.find(VirtualAddress(start + 2 << 20)).size == .twoMiB)
    #expect(user.find(VirtualAddress(1 << 30)).size == .oneGiB)
    try user.put(page(start + 2 << 20, .twoMiB, frame: 512))
    try user.drop(page(start))
    #expect(user.find(VirtualAddress(start + 4096)).size == .twoMiB)
    try user.drop(page(start + 2 << 20, .twoMiB))
    #expect(user.find(VirtualAddress(start + 4096)).size == .oneGiB)
    try machine.finish()
  }

  @Test func aSplitInPlaceLeavesNoGapAndLosesNoBit() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let (user, memory) = (machine.user, machine.memory)
    try user.put(page(start, .twoMiB, frame: 512))
    let found = user.find(VirtualAddress(start))
    let first = PhysicalAddress(found.location)
    let root = try machine.root()
    let gaps = Atomic<Int>(0)
    let walker = FPTL4L3L2L1Walker(memory: memory, configuration: .withoutCaches)
    defer { walker.release() }
    let log = AccessLog { access in
      for index in [0, 1, 300, 511] as [UInt64] {
        let seen = walker.probe(root, VirtualAddress(6 << 21 + index << 12), .load, isUser: true).translation
        let frame = seen?.physical(VirtualAddress(6 << 21 + index << 12)).frame
        if frame != FrameNumber(512 + index) { gaps.add(1, ordering: .relaxed) }
      }
      // Hardware writes through the page at the last moment.
      if access.address == first.advanced(by: 511 * 8) { _ = memory.fetchOr(X86Entry.dirty, at: first) }
    }
    let allocated = machine.frames.freeFrames
    machine.owner.memory.attach(log: log)
    try user.split(found)
    machine.owner.memory.attach(log: nil)
    #expect(gaps.load(ordering: .relaxed) == 0)
    #expect(machine.frames.freeFrames == allocated, "no memory was needed")
    #expect(user.countMapped(in: range(start, start + 2 << 20)) == 512)
    for index in [0, 1, 511] as [UInt64] {
      let piece = user.find(VirtualAddress(start + index << 12))
      #expect(piece.size == .base && piece.frame == FrameNumber(512 + index))
      #if DEBUG
        #expect(piece.isDirty)
      #endif
    }
    try machine.finish()
  }

  @Test func gigabytePagesSplitIntoMarkedEntries() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let user = machine.user
    try user.put(page(1 << 30, .oneGiB, frame: 0))
    try user.split(user.find(VirtualAddress(1 << 30)))
    #expect(user.countMapped(in: range(1 << 30, 2 << 30)) == 1 << 18)
    let piece = user.find(VirtualAddress(1 << 30 + 5 << 21 + 4096))
    #expect(piece.size == .twoMiB && piece.frame == FrameNumber(5 << 9))
    #expect(try machine.levels(1 << 30 + 5 << 21 + 4096) == [2, 0, 1])
    user.settle(try user.removeAll(in: range(1 << 30, 2 << 30)) { #expect($0.size == .twoMiB) })
    #expect(user.isVoid(range(0, 1 << 47)))
    try machine.finish()
  }

  @Test func swappedAndInaccessibleHugePagesKeepTheirMark() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    let user = machine.user
    var object = page(start, .twoMiB, frame: 512)
    object.isReadable = false
    try user.put(object)
    #expect(user.find(VirtualAddress(start + 0x5000)).entry == object.entry)
    #expect(try machine.walk(start + 0x5000).0.fault == .notMapped)
    var swapped = X86Object(unmappedAt: VirtualAddress(start), size: .twoMiB)
    swapped.swapEntry = SwapEntry(area: 2, offset: 99)
    try user.put(swapped)
    let found = user.find(VirtualAddress(start + 0x5000))
    #expect(found.swapEntry == SwapEntry(area: 2, offset: 99) && found.size == .twoMiB)
    #expect(user.countMapped(in: range(start, start + 2 << 20)) == 512)
    try machine.finish()
  }
}

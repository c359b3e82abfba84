// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Synchronization
import Testing
import X86Object

@Suite struct RangeTests {
  @Test func removingARangeFreesNodesInsideItOnly() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    try database.put(page(0))
    try database.put(page(2 << 20))
    try database.put(page(4 << 20))
    try database.drop(page(2 << 20))
    #expect(database.footprint.nodes == 6 << 12)
    database.settle(try database.removeAll(in: range(4096, 6 << 20)) { _ in })
    // The leaf at 0 is only partly in the range; the other two are gone, the one left empty before included.
    #expect(database.footprint.nodes == 4 << 12)
    #expect(database.find(VirtualAddress(0)).isMapped)
    database.settle(try database.removeAll(in: range(0, 1 << 47)) { _ in })
    #expect(database.footprint.nodes == 1 << 12)
    try machine.finish()
  }

  @Test func kernelNodesSurviveAndAreSharedByAll() throws {
    let machine = try TestMachine(RadixFormat.self)
    let kernel = machine.service.kernelDatabase
    let address = UInt64.max << 47 + 123 << 21
    try kernel.put(page(address, frame: 21))
    for root in [kernel.root, machine.user.root] {
      #expect(rawWalk(machine.owner.platform.memory, root, address)?.frame == 21)
    }
    let all = VirtualRange(VirtualAddress(~0 << 47), VirtualAddress(~4095))
    kernel.settle(try kernel.removeAll(in: all) { #expect($0.frame == FrameNumber(21)) })
    #expect(kernel.footprint.nodes == 257 << 12)
    #expect(rawWalk(machine.owner.platform.memory, machine.user.root, address) == nil)
    try machine.finish()
  }

  @Test func aUserBatchDoesNotSwallowKernelFlushes() throws {
    let machine = try TestMachine(RadixFormat.self)
    let kernel = machine.service.kernelDatabase
    let address = UInt64.max << 47
    try kernel.put(page(address))
    try machine.user.batch {
      try kernel.batch { _ = try kernel.drop(page(address)) }
    }
    var requests: [Invalidation] = []
    machine.owner.platform.cpu(0).mailbox.drain { requests.append($0) }
    let gone = VirtualRange(page: VirtualAddress(address), .base)
    #expect(requests == [Invalidation(scope: .everyone, range: gone)])
    try machine.finish()
  }

  @Test func countsOfAlignedSpansReadNoLeaf() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    database.settle(try database.insertRun(page(1 << 30), count: 700))
    try database.put(page(1 << 30 + 8 << 20, .twoMiB))
    let log = AccessLog()
    machine.owner.memory.attach(log: log)
    #expect(database.countMapped(in: range(1 << 30, 2 << 30)) == 700 + 512)
    #expect(!database.isVoid(range(1 << 30 + 2 << 20, 1 << 30 + 4 << 20)))
    #expect(database.isVoid(range(1 << 30 + 4 << 20, 1 << 30 + 6 << 20)))
    machine.owner.memory.attach(log: nil)
    #if DEBUG
      #expect(log.accesses.count == 2 + 3 + 3)
    #endif
    try machine.finish()
  }

  @Test func alignedMovesTakeTheWholeLeaf() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    database.settle(try database.insertRun(page(2 << 20), count: 512))
    try database.put(page(64 << 20))
    try database.drop(page(64 << 20))
    let old = database.find(VirtualAddress(2 << 20))
    let written = machine.owner.work[.entryWrite]
    database.settle(try database.move(range(2 << 20, 4 << 20), to: VirtualAddress(32 << 20)))
    #expect(machine.owner.work[.entryWrite] == written)
    #expect(database.isVoid(range(2 << 20, 4 << 20)) && database.countMapped(in: range(0, 1 << 30)) == 512)
    #expect(database.find(VirtualAddress(32 << 20 + 8191)).frame == FrameNumber(1 << 18 + 1))
    #expect(throws: TranslationError.notMapped) { try database.drop(old) }
    #expect(TreeAudit(database).leaves.count == 512)
    try machine.finish()
  }

  @Test func aSplitLeavesNoGapAndLosesNoBit() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    let memory = machine.owner.platform.memory
    try database.put(page(2 << 20, .twoMiB))
    let found = database.find(VirtualAddress(2 << 20))
    let (root, word) = (database.root, PhysicalAddress(found.location))
    let gaps = Atomic<Int>(0)
    let log = AccessLog { access in
      if rawWalk(memory, root, 2 << 20 + 8192) == nil { gaps.add(1, ordering: .relaxed) }
      // Hardware writes through the page at the last moment.
      if access.value == X86Entry(found.entry.raw).raw + 511 << 12 &- X86Entry.pageSize {
        _ = memory.fetchOr(X86Entry.dirty, at: word)
      }
    }
    machine.owner.memory.attach(log: log)
    try database.split(found)
    machine.owner.memory.attach(log: nil)
    #expect(gaps.load(ordering: .relaxed) == 0)
    let last = database.find(VirtualAddress(4 << 20 - 4096))
    #expect(last.frame == FrameNumber(1 << 18 + 511) && last.size == .base)
    #if DEBUG
      #expect(last.isDirty)
    #endif
    #expect(TreeAudit(database).leaves.count == 512)
    try machine.finish()
  }

  @Test func replacingAndRemovingReturnWhatHardwareSet() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    try database.put(page(0))
    let found = database.find(VirtualAddress(0))
    let bits = X86Entry.accessed | X86Entry.dirty
    for _ in 0..<2 {
      _ = machine.owner.platform.memory.fetchOr(bits, at: PhysicalAddress(found.location))
      #expect(try database.put(found).entry.raw == found.entry.raw | bits)
    }
    _ = machine.owner.platform.memory.fetchOr(bits, at: PhysicalAddress(found.location))
    #expect(try database.drop(found).isDirty)
    try machine.finish()
  }

  @Test func copyFailsCleanlyAtEveryAllocation() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    let pages: [UInt64] = [0, 4096, 2 << 20, 1 << 39]
    for address in pages { try database.put(page(address)) }
    for count in 0..<7 {
      let child = try machine.another()
      let free = machine.frames.freeFrames
      machine.frames.injectFailure(after: count)
      var copied: [UInt64] = []
      let failure = #expect(throws: RangeFailure.self) {
        let decide = { (_: X86Object) in CopyDecision.shareProtected }
        let flush = try database.copy(range(0, 1 << 40), into: child, decide: decide) {
          copied.append($0.start.raw)
        }
        database.settle(flush)
      }
      machine.frames.stopInjectingFailures()
      #expect(failure?.reason == .outOfMemory && failure?.firstNotDone.raw == pages[copied.count])
      #expect(TreeAudit(child).leaves.map(\.start) == copied)
      let writable = pages.filter { database.find(VirtualAddress($0)).isWritable }
      #expect(writable == Array(pages.dropFirst(copied.count)))
      #expect(machine.frames.freeFrames == free - (child.footprint.total >> 12 - 1))
      try machine.destroy(child)
      for address in pages { try database.put(page(address)) }
    }
    try machine.finish()
  }
}

/// Walks a table as hardware would, with code of its own.
func rawWalk(
  _ memory: PhysicalMemory, _ root: PhysicalAddress, _ address: UInt64
) -> (raw: UInt64, frame: UInt64)? {
  var node = root
  for level in (0...3).reversed() {
    let raw = memory.loadAcquire(node.advanced(by: (address >> UInt64(12 + 9 * level) & 511) * 8))
    guard raw & 1 != 0 else { return nil }
    if level == 0 || raw & 0x80 != 0 { return (raw, raw >> 12 & 0xFF_FFFF_FFFF) }
    node = PhysicalAddress(raw & 0xF_FFFF_FFFF_F000)
  }
  return nil
}

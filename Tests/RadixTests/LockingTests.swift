// SPDX-License-Identifier: MIT
import DriverSupport
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Synchronization
import Testing
import X86Object

@Suite struct LockingTests {
  @Test func regionsLockApartAndReadersTogether() throws {
    let machine = try TestMachine(RadixFormat.self, cpus: 2)
    let database = machine.user
    var one = database.rangeLock(over: range(0, 2 << 20))
    var two = database.rangeLock(over: range(2 << 20, 2 << 20 + 4096))
    database.lockForWriting(&one)
    database.lockForWriting(&two)
    #expect(one.mode == .writing && two.mode == .writing)
    database.unlock(&two)
    database.lockForReading(&two)
    var three = database.rangeLock(over: range(3 << 20, 3 << 20 + 4096))
    database.lockForReading(&three)
    database.unlock(&three)
    database.unlock(&two)
    database.unlock(&one)
    #expect(one.mode == .none && !database.context.lock.isHeld)
    var all = database.rangeLock(over: range(1 << 20, 3 << 20))
    database.lockForWriting(&all)
    #expect(database.context.lock.isHeld)
    database.unlock(&all)
    database.putLock(all)
    #expect(machine.owner.work[.lock] == 5 && machine.owner.work[.lockWait] == 0)
    #expect(TreeAudit(database).leaves.isEmpty)
    try machine.finish()
  }

  @Test(arguments: [X86Object(unmappedAt: VirtualAddress(0), size: .base), page(0), page(0, .twoMiB)])
  func whatTheWordHoldsChangesUnderItsLock(before: X86Object) throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    if before.isMapped { try database.put(before) }
    var lock = database.rangeLock(over: range(0, 2 << 20))
    database.lockForWriting(&lock)
    #expect(database.find(VirtualAddress(0)).entry == before.entry)
    let removed = try database.removeAll(in: range(0, 2 << 20)) { #expect($0.entry == before.entry) }
    database.settle(removed)
    try database.put(page(4096))
    database.settle(try database.removeAll(in: range(0, 2 << 20)) { _ in })
    try database.put(page(0, .twoMiB))
    try database.split(database.find(VirtualAddress(0)))
    #expect(database.countMapped(in: range(0, 4 << 20)) == 512)
    database.unlock(&lock)
    #expect(TreeAudit(database).leaves.count == 512)
    try machine.finish()
  }

  @Test func withoutARegionWordTheWholeDatabaseIsLocked() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    try database.put(page(1 << 30, .oneGiB))
    machine.frames.injectFailure(after: 0, staysBroken: true)
    for start in [1 << 30, 7 << 39, 1 << 63] as [UInt64] {
      var lock = database.rangeLock(over: range(start, start + 4096))
      database.lockForWriting(&lock)
      #expect(database.context.lock.isHeld)
      database.unlock(&lock)
      #expect(!database.context.lock.isHeld)
    }
    machine.frames.stopInjectingFailures()
    try machine.finish()
  }

  /// Two CPUs fault in the same and in different regions, free nodes, and clear bits, while a walker reads the table
  /// and sets accessed bits.
  @Test func threadsFaultWhileHardwareWalks() throws {
    let machine = try TestMachine(RadixFormat.self, cpus: 2)
    let user = machine.user
    let workers = Atomic<Int>(2)
    let platform = machine.owner.platform
    @Sendable func fault(cpu: Int) {
      var database = user
      database.context.cpu = platform.cpu(cpu)
      var generator = SeededGenerator(state: UInt64(cpu))
      for turn in 0..<1500 as Range<UInt64> {
        // Regions 0 and 1 are shared, the others belong to one CPU; they are in different 1 GiB spans.
        let shared = UInt64.random(in: 0..<2, using: &generator)
        let region = turn % 2 == 0 ? shared << 21 : UInt64(cpu + 1) << 30 + shared << 21
        let address = region + UInt64.random(in: 0..<16, using: &generator) << 12
        var lock = database.rangeLock(over: range(address, address + 4096))
        database.lockForWriting(&lock)
        let found = database.find(VirtualAddress(address))
        do {
          if !found.isMapped {
            try database.put(found.size == .base ? present(found) : page(address))
          } else if turn % 3 == 0 {
            try database.drop(found)
          } else {
            _ = try database.testAndClearAccessed(at: found.start)
          }
        } catch { Issue.record(error) }
        database.unlock(&lock)
      }
      workers.subtract(1, ordering: .releasing)
    }
    onThreads([
      { fault(cpu: 0) }, { fault(cpu: 1) },
      {
        var generator = SeededGenerator(state: 7)
        while workers.load(ordering: .acquiring) > 0 {
          let span = UInt64.random(in: 0..<3, using: &generator) << 30
          let address = span + UInt64.random(in: 0..<1024, using: &generator) << 12
          touch(platform.memory, user.root, VirtualAddress(address))
        }
      },
    ])
    let leaves = TreeAudit(user).leaves
    #expect(!leaves.isEmpty && leaves.allSatisfy { user.find(VirtualAddress($0.start)).entry.raw == $0.raw })
    try machine.finish()
  }
}

/// A found void, filled in, that still knows its place.
private func present(_ void: X86Object) -> X86Object {
  var object = void
  object.isPresent = true
  object.frame = FrameNumber(5)
  return object
}

/// What a walker does: reads words, sets the accessed bit of a present leaf if it is still what was read.
private func touch(_ memory: PhysicalMemory, _ root: PhysicalAddress, _ address: VirtualAddress) {
  var node = root
  for level in (0...3).reversed() {
    let word = node.advanced(by: (address.raw >> UInt64(12 + 9 * level) & 511) * 8)
    let raw = memory.loadAcquire(word)
    guard raw & X86Entry.present != 0 else { return }
    if level == 0 || raw & X86Entry.pageSize != 0 {
      _ = memory.compareExchange(raw, raw | X86Entry.accessed, at: word)
      return
    }
    node = X86Entry(raw).table
  }
}

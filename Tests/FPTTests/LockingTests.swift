// SPDX-License-Identifier: MIT
import DriverSupport
import EMTCore
import EntryFormats
import MMU
import Radix
import RadixSupport
import SimMemory
import Synchronization
import Testing

@Suite struct LockingTests {
  @Test func regionsOfOneFlattenedNodeLockApart() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self, cpus: 2)
    let user = machine.user
    try user.put(page(4096))
    try user.put(page(2 << 20, .twoMiB, frame: 512))
    var locks = (0..<4 as Range<UInt64>).map { user.rangeLock(over: range($0 << 21, $0 << 21 + 4096)) }
    for index in locks.indices { user.lockForWriting(&locks[index]) }
    // What the locked words hold changes under their locks.
    #expect(user.find(VirtualAddress(2 << 20)).size == .twoMiB)
    try user.put(page(0, frame: 3))
    try user.drop(page(0))
    try user.split(user.find(VirtualAddress(2 << 20)))
    user.settle(try user.removeAll(in: range(2 << 20, 4 << 20)) { _ in })
    try user.put(page(2 << 20, .twoMiB, frame: 1024))
    for index in locks.indices { user.unlock(&locks[index]) }
    #expect(machine.owner.work[.lock] == 4 && machine.owner.work[.lockWait] == 0)
    #expect(!user.context.lock.isHeld)
    for region in 0..<4 as Range<UInt64> {
      let word = try #require(machine.walk(region << 21).1.last)
      #expect(word.value & (X86Entry.schemeMask & ~FPTFormat.mark) == 0, "a lock was left behind")
    }
    try machine.finish()
  }

  /// Two CPUs fault, remove and clear bits in the same and in different regions while hardware walks.
  @Test func threadsFaultWhileHardwareWalks() throws {
    try stress(FlattenedL4L3L2L1.self)
    try stress(FlattenedL3L2.self)
    try stress(FlattenedL4L3.self)
  }

  private func stress<Shape: RadixShape>(_ shape: Shape.Type) throws {
    let machine = try TestMachine(shape, cpus: 2)
    let (user, platform) = (machine.user, machine.owner.platform)
    let root = try machine.root()
    let workers = Atomic<Int>(2)
    @Sendable func fault(cpu: Int) {
      var database = user
      database.context.cpu = platform.cpu(cpu)
      var generator = SystemRandomNumberGenerator()
      for turn in 0..<800 as Range<UInt64> {
        let region = turn % 2 == 0 ? 0 : UInt64(cpu + 1)
        let address = region << 21 + UInt64.random(in: 0..<16, using: &generator) << 12
        var lock = database.rangeLock(over: range(address, address + 4096))
        database.lockForWriting(&lock)
        let found = database.find(VirtualAddress(address))
        do {
          if !found.isMapped {
            try database.put(page(address, frame: 5 + address >> 12))
          } else if found.frame.raw != 5 + address >> 12 {
            Issue.record("a page of another address")
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
    let memory = machine.memory
    onThreads([
      { fault(cpu: 0) }, { fault(cpu: 1) },
      {
        let walker = RadixTreeWalker<Shape>(memory: memory, configuration: .withoutCaches)
        var address: UInt64 = 0
        while workers.load(ordering: .acquiring) > 0 {
          address = (address + 0x1000) % (3 << 21)
          let found = walker.walk(root, VirtualAddress(address), .load, isUser: true).translation
          if let found, found.page.frame.raw != 5 + address >> 12 { Issue.record("another page") }
        }
        walker.release()
      },
    ])
    var counted: UInt64 = 0
    var iterator = user.makeIterator(over: range(0, 3 << 21))
    while user.nextMapped(&iterator) != nil { counted += 1 }
    #expect(counted > 0 && user.countMapped(in: range(0, 1 << 30)) == counted)
    try machine.finish()
  }
}

// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Testing
import X86Object

@Suite struct IteratorTests {
  @Test func voidsAreJumpedByTheirSize() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    let far: UInt64 = 1 << 47 - 4096
    try database.put(page(0))
    try database.put(page(far))
    let before = machine.owner.work[.iteratorStep]
    var iterator = database.makeIterator(over: range(0, ~0))
    #expect(database.nextMapped(&iterator)?.start == VirtualAddress(0))
    #expect(database.nextMapped(&iterator)?.start == VirtualAddress(far))
    let third = database.nextMapped(&iterator)
    #expect(third?.start == nil)
    #expect(machine.owner.work[.iteratorStep] - before < 7 * 512)
    try machine.finish()
  }

  @Test func anIteratorNoticesThatItsNodeWent() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    database.settle(try database.insertRun(page(0), count: 4))
    var iterator = database.makeIterator(over: range(0, 4 << 20))
    #expect(database.next(&iterator).isMapped)
    database.settle(try database.removeAll(in: range(0, 2 << 20)) { _ in })
    try database.put(page(0, .twoMiB))
    let huge = database.next(&iterator)
    #expect(huge.size == .twoMiB && huge.start == VirtualAddress(0) && huge.isMapped)
    #expect(iterator.position == VirtualAddress(2 << 20))
    #expect(!database.next(&iterator).isMapped && !database.hasNext(iterator))
    try machine.finish()
  }

  @Test func iteratedObjectsKnowTheirPlace() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    database.settle(try database.insertRun(page(0), count: 8))
    let before = machine.owner.work
    var iterator = database.makeIterator(over: range(0, 8 << 12))
    while let object = database.nextMapped(&iterator) { try database.drop(object) }
    let work = machine.owner.work - before
    #expect(work[.entryWrite] == 8 && work[.lookup] == 1 && work[.iteratorStep] == 8)
    #expect(database.isVoid(range(0, 1 << 47)))
    try machine.finish()
  }
}

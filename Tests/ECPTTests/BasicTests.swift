// SPDX-License-Identifier: MIT
import ClusterTable
import ECPT
import EMTCore
import EntryFormats
import MMU
import SimMemory
import Testing
import X86Object

@Suite struct BasicTests {
  @Test func anEmptyProcessOwnsOneBlock() throws {
    let rig = try Rig()
    #expect(rig.database.footprint == TableFootprint(ways: 8192))
    let object = rig.database.find(VirtualAddress(0x1234_5000))
    #expect(!object.isMapped)
    #expect(object.span == VirtualRange(VirtualAddress(0), VirtualAddress(1 << 47)))
    try rig.end()
  }

  @Test func whatWasInsertedIsFoundByDriverAndHardware() throws {
    let rig = try Rig()
    for (step, size) in [PageSize.base, .twoMiB, .oneGiB].enumerated() {
      let object = Rig.page(UInt64(step) + 7, 0, size)
      try rig.insert(object)
      let found = rig.database.find(object.start.advanced(by: size.bytes - 1))
      #expect(found.isPresent && found.span == object.span && found.entry == object.entry)
      let result = rig.walker.probe(rig.root, object.start.advanced(by: 4095), .load, isUser: true)
      #expect(result.translation?.size == size)
      #expect(result.translation?.physical(object.start.advanced(by: 4095)).raw == 4095)
    }
    #expect(rig.frame(6) == nil)
    try rig.end()
  }

  @Test func aVoidIsReportedAsWideAsItIsKnown() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(8, 1))
    #expect(rig.database.find(VirtualAddress(9 << 12)).span.bytes == 4096)
    #expect(rig.database.find(VirtualAddress(0)).span == VirtualRange(VirtualAddress(0), bytes: 32768))
    try rig.remove(Rig.page(8, 1))
    #expect(rig.database.find(VirtualAddress(9 << 12)).size == .oneGiB)
    #expect(rig.database.find(VirtualAddress(3 << 30)).size.shift == 31)
    try rig.insert(Rig.page(1, 1, .twoMiB))
    #expect(rig.database.find(VirtualAddress(0)).size == .twoMiB)
    #expect(rig.database.find(VirtualAddress(64 << 20)).size == .twoMiB)
    try rig.end()
  }

  @Test func replacingReturnsTheOldObjectAndOwesAFlush() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(5, 50))
    let change = try rig.database.update(Rig.page(5, 51))
    #expect(change.old.frame.raw == 50)
    let isOwed = change.isFlushOwed
    #expect(isOwed)
    rig.database.settle(change.takeObligation())
    #expect(rig.frame(5) == 51)
    let first = try rig.database.update(Rig.page(6, 60))
    let (old, isOwedNow) = (first.old, first.isFlushOwed)
    #expect(!old.isMapped && !isOwedNow)
    rig.database.settle(first.takeObligation())
    try rig.end()
  }

  @Test func sizesThatOverlapAreRefusedBothWays() throws {
    let rig = try Rig()
    try rig.insert(Rig.page(512 + 100, 1))
    try rig.insert(Rig.page(5, 2, .twoMiB))
    try rig.insert(Rig.page(3, 0, .oneGiB))
    let conflict = TranslationError.sizeConflict(existing: VirtualAddress((512 + 100) << 12), size: .base)
    #expect(throws: conflict) { try rig.insert(Rig.page(1, 3, .twoMiB)) }
    #expect(throws: conflict) { try rig.insert(Rig.page(0, 0, .oneGiB)) }
    #expect(throws: conflict) { try rig.remove(Rig.page(1, 3, .twoMiB)) }
    let huge = TranslationError.sizeConflict(existing: VirtualAddress(10 << 20), size: .twoMiB)
    #expect(throws: huge) { try rig.insert(Rig.page(5 * 512 + 17, 3)) }
    #expect(throws: huge) { try rig.remove(Rig.page(5 * 512 + 17, 3)) }
    let giant = TranslationError.sizeConflict(existing: VirtualAddress(3 << 30), size: .oneGiB)
    #expect(throws: giant) { try rig.insert(Rig.page(3 * 512 + 5, 3, .twoMiB)) }
    #expect(rig.frame(512 + 100) == 1)
    #expect(rig.frame(5 * 512) == 1024)
    try rig.end()
  }

  @Test func badObjectsAreRefused() throws {
    let rig = try Rig()
    let odd = X86Object(VirtualAddress(0), PageSize(shift: 16), entry: X86Entry(X86Entry.present))
    #expect(throws: TranslationError.unsupportedSize(PageSize(shift: 16))) { try rig.insert(odd) }
    let upper = X86Object(VirtualAddress(0xFFFF_8000_0000_0000), .base, entry: X86Entry(X86Entry.present))
    #expect(throws: TranslationError.badAddress(upper.start)) { try rig.insert(upper) }
    #expect(throws: TranslationError.notMapped) {
      try rig.insert(X86Object(unmappedAt: VirtualAddress(0), size: .base))
    }
    #expect(throws: TranslationError.notMapped) { try rig.remove(Rig.page(3, 3)) }
    #expect(!rig.database.find(upper.start).isMapped)
    try rig.end()
  }

  @Test func kernelPagesAreSeenThroughEveryProcess() throws {
    let rig = try Rig()
    let address = VirtualAddress(0xFFFF_8000_0012_3000)
    var object = X86Object(address, .base, entry: X86Entry(X86Entry.present))
    object.frame = FrameNumber(77)
    let kernel = rig.service.kernelDatabase
    kernel.settle(try kernel.update(object).takeObligation())
    let result = rig.walker.walk(rig.root, address, .load, isUser: false)
    #expect(result.translation?.page == PhysicalAddress(77 << 12))
    #expect(rig.walker.walk(rig.root, address, .load, isUser: true).fault == .notUser)
    #expect(kernel.find(address).isAccessed)
    #expect(throws: TranslationError.badAddress(VirtualAddress(0x1000))) {
      kernel.settle(try kernel.update(Rig.page(1, 1)).takeObligation())
    }
    try rig.end()
  }

  @Test func switchingChangesWhatTheHardwareWalks() throws {
    let rig = try Rig()
    #expect(try rig.service.current(on: 0).block == rig.service.kernelDatabase.block)
    _ = try rig.service.switchTo(rig.database, on: 0)
    #expect(rig.service.registers[0] == rig.root)
    #expect(throws: ServiceError.inUse(cpus: 1)) { try rig.service.destroy(rig.database) }
    let previous = try rig.service.switchTo(rig.service.kernelDatabase, on: 0)
    #expect(previous.block == rig.database.block)
    #expect(throws: ServiceError.noSuchCPU(9)) { try rig.service.current(on: 9) }
    try rig.end()
  }

  @Test func theWalkerSetsAccessedAndDirtyOnlyWhenAllowed() throws {
    let rig = try Rig()
    var object = Rig.page(3, 9)
    object.isWritable = false
    object.isExecutable = false
    try rig.insert(object)
    #expect(rig.walker.walk(rig.root, object.start, .store, isUser: true).fault == .notWritable)
    #expect(rig.walker.walk(rig.root, object.start, .fetch, isUser: true).fault == .notExecutable)
    #expect(!rig.database.find(object.start).isAccessed)
    #expect(rig.walker.walk(rig.root, object.start, .load, isUser: true).updates == 1)
    #expect(rig.database.find(object.start).isAccessed && !rig.database.find(object.start).isDirty)
    #expect(rig.walker.walk(rig.root, object.start, .load, isUser: true).updates == 0)
    try rig.end()
  }

  @Test func everyFrameComesBackInTheEnd() throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 1 << 30))
    let before = machine.platform.frames.freeFrames
    let service = try ECPTService.boot(machine.platform, options: DriverOptions())
    let database = try service.makeDatabase(Rig.context(machine.platform, service))
    for page in 0..<UInt64(10000) {
      database.settle(try database.update(Rig.page(page * 5, page)).takeObligation())
    }
    let held = before - machine.platform.frames.freeFrames
    #expect(database.footprint.total + service.kernelDatabase.footprint.total == held * 4096)
    let work = machine.work
    #expect(work[.tableFrame] - work[.tableFrameFreed] == held)
    try service.destroy(database)
    database.context.destroy()
    service.shutDown()
    #expect(machine.platform.frames.freeFrames == before)
    #expect(machine.work[.tableFrame] == machine.work[.tableFrameFreed])
  }

  @Test func optionsAreRefused() throws {
    let machine = try SimulatedPlatform(MemoryGeometry(bytes: 1 << 22))
    #expect(throws: ServiceError.self) {
      try ECPTService.boot(machine.platform, options: DriverOptions(["ways": "3"]))
    }
  }
}

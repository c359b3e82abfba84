// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Radix
import RadixSupport
import SimMemory
import Testing
import X86Object

@Suite struct BasicsTests {
  @Test func foundObjectIsWhatWasInserted() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    var object = page(0x7fff_1234_5000, frame: 77)
    object.isExecutable = false
    object.isDirty = true
    #expect(try database.put(object).isMapped == false)
    let found = database.find(VirtualAddress(0x7fff_1234_5abc))
    #expect(found.start == VirtualAddress(0x7fff_1234_5000))
    #expect(found.entry == object.entry)
    #expect(found.size == .base)
    #expect(try database.drop(found).entry == object.entry)
    #expect(!database.find(object.start).isMapped)
    try machine.finish()
  }

  @Test(arguments: [PageSize.base, .twoMiB, .oneGiB])
  func everySizeMapsReplacesAndGoes(size: PageSize) throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    let start = UInt64(5) << 30
    let frames = size.basePages
    try database.put(page(start, size, frame: frames))
    for offset in [0, size.mask / 2, size.mask] {
      let found = database.find(VirtualAddress(start + offset))
      #expect(found.isMapped && found.size == size && found.start == VirtualAddress(start))
      #expect(found.frame == FrameNumber(frames))
    }
    #expect(!database.find(VirtualAddress(start + size.bytes)).isMapped)
    #expect(!database.find(VirtualAddress(start - 1)).isMapped)
    let change = try database.update(page(start, size, frame: 2 * frames))
    let (old, isFlushOwed) = (change.old, change.isFlushOwed)
    #expect(old.frame == FrameNumber(frames) && isFlushOwed)
    database.settle(change.takeObligation())
    try database.drop(page(start, size))
    #expect(throws: TranslationError.notMapped) { try database.drop(page(start, size)) }
    try machine.finish()
  }

  @Test func boundariesOfTheHalves() throws {
    let machine = try TestMachine(RadixFormat.self)
    let (user, kernel) = (machine.user, machine.service.kernelDatabase)
    let lastUser: UInt64 = 1 << 47 - 4096
    let firstKernel: UInt64 = ~0 << 47
    let top = VirtualAddress(0 &- PageSize.oneGiB.bytes)
    try kernel.put(page(0 &- 3 << 30))
    #expect(kernel.find(top).size == .oneGiB && kernel.find(top).location == 0)
    for address in [0, lastUser] as [UInt64] {
      try user.put(page(address, frame: 9))
      #expect(user.find(VirtualAddress(address)).frame == FrameNumber(9))
      #expect(throws: TranslationError.badAddress(VirtualAddress(address))) { try kernel.put(page(address)) }
      #expect(kernel.find(VirtualAddress(address)).size == .base)
    }
    for address in [firstKernel, ~0 - 8191] as [UInt64] {
      try kernel.put(page(address, frame: 11))
      #expect(kernel.find(VirtualAddress(address)).frame == FrameNumber(11))
      #expect(throws: TranslationError.badAddress(VirtualAddress(address))) { try user.put(page(address)) }
      #expect(!user.find(VirtualAddress(address)).isMapped)
    }
    for address in [1 << 47, firstKernel - 4096, ~0 - 4095] as [UInt64] {
      for database in [user, kernel] {
        #expect(throws: TranslationError.badAddress(VirtualAddress(address))) {
          try database.put(page(address))
        }
        #expect(!database.find(VirtualAddress(address)).isMapped)
      }
    }
    #expect(throws: TranslationError.badAddress(top)) {
      try kernel.put(page(top.raw, .oneGiB, frame: 1 << 18))
    }
    try machine.finish()
  }

  @Test func voidsAreAsLargeAsKnown() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    let base = UInt64(3) << 39
    #expect(database.find(VirtualAddress(base)).size == PageSize(shift: 39))
    try database.put(page(base))
    #expect(database.find(VirtualAddress(base + 4096)).size == .base)
    #expect(database.find(VirtualAddress(base + 2 << 20)).size == .twoMiB)
    #expect(database.find(VirtualAddress(base + 1 << 30)).size == .oneGiB)
    try database.put(page(base + 4 << 20))
    try database.drop(page(base))
    let void = database.find(VirtualAddress(base + 4096))
    #expect(void.size == .twoMiB && void.start == VirtualAddress(base))
    try database.drop(page(base + 4 << 20))
    #expect(database.find(VirtualAddress(base + 4096)).size == .oneGiB)
    try machine.finish()
  }

  @Test func sizesThatOverlapConflict() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    let start = UInt64(1) << 30
    try database.put(page(start, .twoMiB))
    let inside = VirtualAddress(start)
    #expect(throws: TranslationError.sizeConflict(existing: inside, size: .twoMiB)) {
      try database.put(page(start + 4096))
    }
    #expect(throws: TranslationError.sizeConflict(existing: inside, size: .twoMiB)) {
      try database.put(page(start, .oneGiB, frame: 1 << 18))
    }
    #expect(throws: TranslationError.sizeConflict(existing: inside, size: .twoMiB)) {
      try database.drop(page(start))
    }
    try database.put(page(start + 2 << 20 + 8192))
    #expect(
      throws: TranslationError.sizeConflict(existing: VirtualAddress(start + 2 << 20 + 8192), size: .base)
    ) { try database.put(page(start + 2 << 20, .twoMiB)) }
    #expect(throws: TranslationError.unsupportedSize(PageSize(shift: 16))) {
      try database.put(page(start, PageSize(shift: 16)))
    }
    #expect(throws: TranslationError.notMapped) {
      try database.put(X86Object(unmappedAt: VirtualAddress(start), size: .base))
    }
    try machine.finish()
  }

  @Test func aHugePageReplacesEmptyNodesWithoutAllocating() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    for address in [0, 5 << 21, 511 << 21] as [UInt64] {
      try database.put(page(address))
      try database.drop(page(address))
    }
    #expect(database.footprint.nodes == 6 << 12)
    let old = database.find(VirtualAddress(4096))
    machine.frames.injectFailure(after: 0, staysBroken: true)
    try database.put(page(0, .twoMiB))
    #expect(database.footprint.nodes == 5 << 12)
    try database.drop(page(0, .twoMiB))
    try database.put(page(0, .oneGiB, frame: 1 << 18))
    machine.frames.stopInjectingFailures()
    #expect(database.footprint.nodes == 2 << 12)
    #expect(old.generation != database.context.generation)
    #expect(database.find(VirtualAddress(6 << 20)).size == .oneGiB)
    try machine.finish()
  }

  @Test func aForeignOrStaleLocationIsNotUsed() throws {
    let machine = try TestMachine(RadixFormat.self)
    let other = try machine.another()
    try machine.user.put(page(0x1000, frame: 3))
    try other.put(machine.user.find(VirtualAddress(0x1000)))
    #expect(other.find(VirtualAddress(0x1000)).frame == FrameNumber(3))
    let void = machine.user.find(VirtualAddress(6 << 20))
    try machine.user.put(page(6 << 20, frame: 4))
    let there = TranslationError.sizeConflict(existing: void.start, size: .base)
    #expect(throws: there) { try machine.user.drop(void) }
    #expect(machine.user.find(VirtualAddress(6 << 20)).frame == FrameNumber(4))
    try machine.destroy(other)
    try machine.finish()
  }

  @Test func runningOutOfMemoryChangesNothing() throws {
    let machine = try TestMachine(RadixFormat.self)
    let database = machine.user
    for depth in 0..<3 {
      let free = machine.frames.freeFrames
      let bytes = database.footprint
      machine.frames.injectFailure(after: depth)
      #expect(throws: TranslationError.outOfMemory) { try database.put(page(7 << 39)) }
      machine.frames.stopInjectingFailures()
      #expect(machine.frames.freeFrames == free && database.footprint == bytes)
      #expect(database.find(VirtualAddress(7 << 39)).size == PageSize(shift: 39))
    }
    try machine.finish()
    for count in stride(from: 0, to: 257, by: 32) {
      let owner = try SimulatedPlatform(MemoryGeometry(bytes: 4 << 20))
      let free = owner.platform.frames.freeFrames
      owner.platform.frames.injectFailure(after: count)
      #expect(throws: ServiceError.outOfMemory) {
        _ = try RadixService.boot(owner.platform, options: DriverOptions())
      }
      #expect(owner.platform.frames.freeFrames == free)
    }
  }
}

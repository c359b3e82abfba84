// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import MMU
import Radix
import RadixSupport
import SimMemory
import Testing

/// Which words the hardware reads, and how many: the promise of flattening.
@Suite struct WalkTests {
  let address: UInt64 = 0x7f12_3456_7000

  @Test func l4l3ReadsThree() throws {
    let machine = try TestMachine(FlattenedL4L3.self)
    try machine.user.put(page(address, frame: 77))
    let (result, steps) = try machine.walk(address + 0xabc)
    #expect(result.translation?.physical(VirtualAddress(address + 0xabc)).raw == 77 << 12 | 0xabc)
    #expect(steps.map(\.index) == [2, 1, 0] && steps.map(\.round) == [0, 1, 2])
    let root = machine.user.root.raw & ~PageSize.twoMiB.mask
    #expect(steps.first?.address.raw == root + (address >> 30) * 8)
    try machine.user.put(page(1 << 40, .twoMiB, frame: 512))
    try machine.user.put(page(5 << 40, .oneGiB, frame: 0))
    #expect(try machine.levels(1 << 40 + 0x5000) == [2, 1])
    #expect(try machine.levels(5 << 40 + 0x5000) == [2])
    try machine.finish()
  }

  @Test func l3l2ReadsThree() throws {
    let machine = try TestMachine(FlattenedL3L2.self)
    try machine.user.put(page(address, frame: 77))
    let (result, steps) = try machine.walk(address)
    #expect(result.translation?.page.frame == FrameNumber(77))
    #expect(steps.map(\.index) == [3, 1, 0])
    let node = steps[0].value & X86Entry.addressMask
    #expect(steps[0].value & FPTFormat.mark != 0 && node & PageSize.twoMiB.mask == 0)
    #expect(steps[1].address.raw == node + (address >> 21 & 0x3FFFF) * 8)
    try machine.user.put(page(1 << 40, .twoMiB, frame: 512))
    #expect(try machine.levels(1 << 40 + 0x5000) == [3, 1])
    #expect(throws: TranslationError.unsupportedSize(.oneGiB)) {
      try machine.user.put(page(2 << 40, .oneGiB, frame: 0))
    }
    #expect(!machine.service.pageSizes.contains(.oneGiB))
    try machine.finish()
  }

  @Test func l4l3l2l1ReadsTwoAndThreeForHugePages() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    try machine.user.put(page(address, frame: 77))
    let (result, steps) = try machine.walk(address)
    #expect(result.translation?.page.frame == FrameNumber(77))
    #expect(steps.map(\.index) == [2, 0])
    let node = steps[0].value & X86Entry.addressMask
    #expect(steps[1].address.raw == node + (address >> 12 & 0x3FFFF) * 8)
    try machine.user.put(page(6 << 21, .twoMiB, frame: 1024))
    let (huge, hugeSteps) = try machine.walk(6 << 21 + 0x5123, .store)
    #expect(huge.translation?.size == .twoMiB)
    #expect(huge.translation?.physical(VirtualAddress(6 << 21 + 0x5123)).raw == 1024 << 12 + 0x5123)
    #expect(hugeSteps.map(\.index) == [2, 0, 1] && huge.references == 3)
    #expect(hugeSteps[2].address.raw & PageSize.base.mask == 0)
    #expect(hugeSteps[2].value & FPTFormat.mark != 0)
    #expect(machine.user.find(VirtualAddress(6 << 21)).isDirty)
    #expect(try machine.levels(6 << 21) == [2, 0], "the first slot is the page's own")
    try machine.user.put(page(5 << 40, .oneGiB, frame: 0))
    #expect(try machine.levels(5 << 40 + 0x5000) == [2])
    // Voids: near a base page, near nothing, below an empty root entry.
    #expect(try machine.walk(address + 4096).0.fault == .notMapped)
    #expect(try machine.levels(address + 4096) == [2, 0, 1])
    #expect(try machine.levels(1 << 45) == [2])
    try machine.finish()
  }

  @Test func kernelPagesAreSeenFromEveryRoot() throws {
    func check<Shape: RadixShape>(_ shape: Shape.Type) throws {
      let machine = try TestMachine(shape)
      let high = UInt64.max << 47 + 123 << 30 + 0x5000
      var object = page(high, frame: 99)
      object.isGlobal = true
      try machine.service.kernelDatabase.put(object)
      #expect(try machine.walk(high).0.translation?.page.frame == FrameNumber(99))
      try machine.service.kernelDatabase.drop(object)
      #expect(try machine.walk(high).0.fault == .notMapped)
      try machine.finish()
    }
    try check(FlattenedL3L2.self)
    try check(FlattenedL4L3.self)
    try check(FlattenedL4L3L2L1.self)
  }

  @Test func walkCachesRememberFlattenedNodes() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    for index in 0..<8 as Range<UInt64> { try machine.user.put(page(index << 30, frame: 100 + index)) }
    let walker = FPTL4L3L2L1Walker(memory: machine.memory)
    let root = try machine.root()
    for turn in 0..<2 as Range<UInt16> {
      for index in 0..<8 as Range<UInt64> {
        let result = walker.walk(root, VirtualAddress(index << 30), .load, isUser: true)
        #expect(result.translation?.page.frame == FrameNumber(100 + index))
        #expect(result.references == 2 - turn)
      }
    }
    #expect(walker.cachedTables.allSatisfy { $0.level == 2 && $0.table.raw & PageSize.twoMiB.mask == 0 })
    walker.invalidate(spaceID: 1, range: range(3 << 30, 3 << 30 + 4096))
    #expect(walker.walk(root, VirtualAddress(3 << 30), .load, isUser: true).references == 2)
    #expect(walker.walk(root, VirtualAddress(4 << 30), .load, isUser: true).references == 1)
    walker.release()
    try machine.finish()
  }

  @Test func aMisplacedFlattenedNodeIsMalformed() throws {
    let machine = try TestMachine(FlattenedL4L3L2L1.self)
    try machine.user.put(page(address))
    let entry = try machine.walk(address).1[0]
    machine.memory.storeRelaxed(entry.value + 4096, at: entry.address)
    #expect(try machine.walk(address).0.fault == .malformed)
    machine.memory.storeRelaxed(entry.value, at: entry.address)
    try machine.finish()
  }
}

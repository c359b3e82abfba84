// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import Reference
import SimMemory
import Testing
import X86Object

@Suite("x86-64 objects") struct X86ObjectTests {
  static let sizes = [PageSize.base, .twoMiB, .oneGiB]

  private func page(_ size: PageSize) -> X86Object {
    var object = X86Object(unmappedAt: VirtualAddress(1 << 40), size: size)
    object.isPresent = true
    object.physicalAddress = PhysicalAddress(size.bytes * 3)
    return object
  }

  @Test(arguments: sizes) func theCacheIndexMovesWithThePageSize(size: PageSize) throws {
    for index: UInt64 in 0..<8 {
      for other in X86ObjectTests.sizes {
        var object = page(size)
        try object.write(X86Attribute.cacheIndex, index)
        try object.write(.pageSize, UInt64(other.shift))
        #expect(try object.read(X86Attribute.cacheIndex) == index)
        #expect(object.physicalAddress.raw == size.bytes * 3 & ~other.mask)
        let isHuge = other > .base
        let table = isHuge ? X86Entry.attributeTableHuge : X86Entry.attributeTable
        #expect((object.entry.raw & table != 0) == (index & 4 != 0))
        if isHuge { #expect(object.entry.raw & X86Entry.pageSize != 0) }
      }
    }
  }

  @Test(arguments: sizes) func protectionKeysLeaveEverythingElseAlone(size: PageSize) throws {
    for key: UInt64 in 0..<16 {
      var object = page(size)
      object.isWritable = true
      let plain = object
      #expect(try object.write(X86Attribute.protectionKey, key) == 0)
      #expect(try object.read(X86Attribute.protectionKey) == key)
      #expect(object.describesSameMapping(as: plain))
    }
    var object = page(size)
    #expect(throws: AttributeError.unrepresentable(X86Attribute.protectionKey, value: 16)) {
      try object.write(X86Attribute.protectionKey, 16)
    }
  }

  @Test func aPageWithoutRightsIsResidentAndNotPresentForHardware() {
    var object = page(.base)
    object.isReadable = false
    #expect(!object.entry.isPresent && object.entry.isResident)
    #expect(object.isPresent && object.hasNumaHint)
    object.isReadable = true
    #expect(object.entry.isPresent && !object.isGlobal)
  }

  @Test func swapEntriesUseTheWholeWidth() {
    for area: UInt8 in 0...30 {
      for offset: UInt64 in [0, 1, 1 << 42, (1 << 43) - 1] {
        var object = X86Object(unmappedAt: VirtualAddress(0), size: .base)
        object.swapEntry = SwapEntry(area: area, offset: offset)
        #expect(object.swapEntry == SwapEntry(area: area, offset: offset))
        #expect(object.entry.isSwap && !object.entry.isResident && !object.entry.isNone)
        #expect(object.entry.raw & X86Entry.schemeMask == 0 || offset >> 43 == 0)
      }
    }
  }

  @Test func packedSwapEntriesWithExcessBitsAreRefused() {
    var object = page(.base)
    for packed in [UInt64(0x101) << 43 | 5, 32 << 43, 1 << 63, 7] {
      #expect(throws: AttributeError.unrepresentable(.swapEntry, value: packed)) {
        try object.write(.swapEntry, packed)
      }
    }
  }

  @Test(arguments: sizes) func everyRelocationKeepsArchitectureSpecificAttributes(size: PageSize) throws {
    var object = page(size)
    try object.write(X86Attribute.protectionKey, 9)
    try object.write(X86Attribute.cacheIndex, 6)
    let part = object.relocated(
      to: VirtualAddress(0x7000), size: .base, physicalAddress: PhysicalAddress(0x3000))
    #expect(try part.read(X86Attribute.protectionKey) == 9)
    #expect(try part.read(X86Attribute.cacheIndex) == 6)
  }
}

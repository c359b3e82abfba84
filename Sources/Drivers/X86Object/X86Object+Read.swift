// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory

extension X86Object {
  /// The value of an attribute; folds to a bit test when the key is a constant. Not `@inline(__always)`; see `write`.
  @inlinable
  public func read(_ attribute: TranslationAttribute) throws(AttributeError) -> UInt64 {
    switch attribute.key {
    case 0: return address
    case 1: return UInt64(shift)
    case 2: return entry.isResident ? entry.physicalAddress(PageSize(shift: shift)).raw : 0
    case 3: return entry.raw == 0 ? 0 : 1
    case 4: return entry.isResident ? 1 : 0
    case 5: return entry.raw & X86Entry.present
    case 6: return resident(X86Entry.writable)
    case 7: return entry.isResident && entry.raw & X86Entry.noExecute == 0 ? 1 : 0
    case 8: return resident(X86Entry.user)
    case 9: return resident(X86Entry.accessed)
    case 10: return resident(X86Entry.dirty)
    case 11: return entry.isPresent && entry.raw & X86Entry.global != 0 ? 1 : 0
    case 12: return packedSwapEntry
    case 13: return either(X86Entry.softDirty, X86Entry.swapSoftDirty)
    case 14: return either(X86Entry.userfaultWriteProtected, X86Entry.swapUserfaultWriteProtected)
    case 15: return entry.isResident && !entry.isPresent ? 1 : 0
    case 16: return resident(X86Entry.special)
    case 17: return UInt64(X86Object.mode(ofIndex: cacheIndex).rawValue)
    case 0x100:
      return entry.isResident
        ? (entry.raw & X86Entry.protectionKeyMask) &>> X86Entry.protectionKeyShift : 0
    case 0x101: return UInt64(cacheIndex)
    default: throw .unknown(attribute)
    }
  }

  /// A bit that means something only while the page is in memory.
  @inlinable @inline(__always) func resident(_ bit: UInt64) -> UInt64 {
    entry.isResident && entry.raw & bit != 0 ? 1 : 0
  }

  /// A bit that has another place in a swap entry.
  @inlinable @inline(__always) func either(_ residentBit: UInt64, _ swapBit: UInt64) -> UInt64 {
    entry.raw & (entry.isResident ? residentBit : swapBit) != 0 && entry.raw != 0 ? 1 : 0
  }

  @inlinable var packedSwapEntry: UInt64 {
    guard entry.isSwap else { return 0 }
    let offset = entry.raw &>> X86Entry.swapOffsetShift & ((1 &<< X86Entry.swapOffsetBits) &- 1)
    let area = UInt8(truncatingIfNeeded: entry.raw &>> X86Entry.swapAreaShift)
    return SwapEntry(area: area, offset: offset).packed
  }

  /// PAT, PCD and PWT as a number.
  @inlinable var cacheIndex: Int {
    guard entry.isResident else { return 0 }
    let table = shift == PageSize.baseShift ? X86Entry.attributeTable : X86Entry.attributeTableHuge
    return (entry.raw & table != 0 ? 4 : 0) | (entry.raw & X86Entry.cacheDisable != 0 ? 2 : 0)
      | (entry.raw & X86Entry.writeThrough != 0 ? 1 : 0)
  }

  /// The page-attribute table as Linux programs it.
  @usableFromInline static func mode(ofIndex index: Int) -> CacheMode {
    switch index & 7 {
    case 1: .writeCombining
    case 2, 6: .uncachedMinus
    case 3: .uncached
    case 5: .writeProtected
    case 7: .writeThrough
    default: .writeBack
    }
  }

  /// The first index whose memory type is `mode`.
  @usableFromInline static func index(ofMode mode: CacheMode) -> Int {
    switch mode {
    case .writeBack: 0
    case .writeCombining: 1
    case .uncachedMinus: 2
    case .uncached: 3
    case .writeProtected: 5
    case .writeThrough: 7
    }
  }
}

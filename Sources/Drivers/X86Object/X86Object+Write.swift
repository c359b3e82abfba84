// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory

extension X86Object {
  /// Changes an attribute; folds to a bit operation when the key is a constant.
  ///
  /// Not `@inline(__always)`: a witness that is cannot be devirtualised in another module. The keys that page faults
  /// write come first and one by one, which keeps the body small enough for the optimiser once the key is known.
  @inlinable @discardableResult
  public mutating func write(
    _ attribute: TranslationAttribute, _ value: UInt64
  ) throws(AttributeError) -> UInt64 {
    switch attribute.key {
    case 10: return try writeFlag(X86Entry.dirty, attribute, value)
    case 9: return try writeFlag(X86Entry.accessed, attribute, value)
    case 8: return try writeFlag(X86Entry.user, attribute, value)
    case 6: return try writeFlag(X86Entry.writable, attribute, value)
    case 4:
      guard value <= 1 else { throw .unrepresentable(attribute, value: value) }
      let old: UInt64 = entry.isResident ? 1 : 0
      setPresent(value != 0)
      return old
    case 2: return try writePhysicalAddress(value)
    case 5, 7:
      guard value == 0 || value == 1 && entry.isResident else {
        throw .unrepresentable(attribute, value: value)
      }
      let old = try read(attribute)
      guard entry.isResident else { return old }
      if attribute.key == 5 { setAccessible(value != 0) } else { set(X86Entry.noExecute, 1 &- value) }
      return old
    default: return try writeRarely(attribute, value)
    }
  }

  /// Changes a bit that only a page in memory has.
  @inlinable @inline(__always)
  mutating func writeFlag(
    _ bit: UInt64, _ attribute: TranslationAttribute, _ value: UInt64
  ) throws(AttributeError) -> UInt64 {
    guard value == 0 || value == 1 && entry.isResident else {
      throw .unrepresentable(attribute, value: value)
    }
    let old = resident(bit)
    set(bit, value)
    return old
  }

  @inlinable @inline(__always)
  mutating func writePhysicalAddress(_ value: UInt64) throws(AttributeError) -> UInt64 {
    let mask = PageSize(shift: shift).mask
    guard value & ~X86Entry.addressMask == 0, value & mask == 0, entry.isResident || value == 0 else {
      throw .unrepresentable(.physicalAddress, value: value)
    }
    let old = entry.isResident ? entry.physicalAddress(PageSize(shift: shift)).raw : 0
    if entry.isResident { entry.raw = entry.raw & (~X86Entry.addressMask | hugeCacheBit) | value }
    return old
  }

  /// The attributes that no hot path writes.
  @usableFromInline
  mutating func writeRarely(
    _ attribute: TranslationAttribute, _ value: UInt64
  ) throws(AttributeError) -> UInt64 {
    let old = try read(attribute)
    guard accepts(attribute, value) else { throw .unrepresentable(attribute, value: value) }
    switch attribute.key {
    case 0:
      address = value
      location = 0
    case 1: resize(UInt8(truncatingIfNeeded: value))
    case 3: if value == 0 { entry.raw = 0 }
    case 11: if entry.isPresent { set(X86Entry.global, value) }
    case 12: setSwap(value)
    case 13: setEither(X86Entry.softDirty, X86Entry.swapSoftDirty, value)
    case 14: setEither(X86Entry.userfaultWriteProtected, X86Entry.swapUserfaultWriteProtected, value)
    case 15: if entry.isResident { setAccessible(value == 0) }
    case 16: set(X86Entry.special, value)
    case 17: setCacheIndex(X86Object.index(ofMode: CacheMode(rawValue: UInt8(value)) ?? .writeBack))
    case 0x100:
      if entry.isResident {
        entry.raw = entry.raw & ~X86Entry.protectionKeyMask | value &<< X86Entry.protectionKeyShift
      }
    default: setCacheIndex(Int(value))
    }
    return old
  }

  /// Whether the entry can hold `value` for `attribute` in its present state.
  @inlinable @inline(__always)
  func accepts(_ attribute: TranslationAttribute, _ value: UInt64) -> Bool {
    switch attribute.key {
    case 0: value & PageSize(shift: shift).mask == 0
    case 1: value >= UInt64(PageSize.baseShift) && value < 64
    case 3: value == 0 || value == 1 && entry.raw != 0
    case 12: acceptsSwap(value)
    case 13, 14: value == 0 || value == 1 && entry.raw != 0
    case 11: value == 0 || value == 1 && entry.isPresent
    case 17: value == 0 || value < UInt64(CacheMode.allCases.count) && entry.isResident
    case 0x100: value == 0 || value < 16 && entry.isResident
    case 0x101: value == 0 || value < 8 && entry.isResident
    default: value == 0 || value == 1 && entry.isResident
    }
  }

  @inlinable func acceptsSwap(_ value: UInt64) -> Bool {
    guard let swap = SwapEntry(packed: value) else { return true }
    return swap.area <= 30 && swap.packed == value
  }

  @inlinable @inline(__always) mutating func set(_ bit: UInt64, _ value: UInt64) {
    if value != 0 { entry.raw |= bit } else if entry.isResident { entry.raw &= ~bit }
  }

  @inlinable @inline(__always)
  mutating func setEither(_ residentBit: UInt64, _ swapBit: UInt64, _ value: UInt64) {
    guard entry.raw != 0 else { return }
    let bit = entry.isResident ? residentBit : swapBit
    if value != 0 { entry.raw |= bit } else { entry.raw &= ~bit }
  }

  /// Present for the first time: readable, executable, nothing else. Absent: empty.
  @inlinable @inline(__always) mutating func setPresent(_ isPresent: Bool) {
    if isPresent {
      if !entry.isResident {
        entry.raw = X86Entry.present | (shift > PageSize.baseShift ? X86Entry.pageSize : 0)
      }
    } else if entry.isResident {
      entry.raw = 0
    }
  }

  /// P when accessible, G instead of P when not.
  @inlinable @inline(__always) mutating func setAccessible(_ isAccessible: Bool) {
    if isAccessible {
      if !entry.isPresent { entry.raw = entry.raw & ~X86Entry.global | X86Entry.present }
    } else if entry.isPresent {
      entry.raw = entry.raw & ~X86Entry.present | X86Entry.global
    }
  }

  @inlinable mutating func setSwap(_ value: UInt64) {
    guard let swap = SwapEntry(packed: value) else {
      if entry.isSwap { entry.raw = 0 }
      return
    }
    var raw = X86Entry.swap | UInt64(swap.area) &<< X86Entry.swapAreaShift
    raw |= swap.offset &<< X86Entry.swapOffsetShift
    let isSoftDirty = either(X86Entry.softDirty, X86Entry.swapSoftDirty) != 0
    if isSoftDirty, !Mutation.swapEntryLosesSoftDirty.isPlanted { raw |= X86Entry.swapSoftDirty }
    if either(X86Entry.userfaultWriteProtected, X86Entry.swapUserfaultWriteProtected) != 0 {
      raw |= X86Entry.swapUserfaultWriteProtected
    }
    entry.raw = raw
  }

  /// The PAT bit of a huge leaf lies inside the address field.
  @inlinable @inline(__always) var hugeCacheBit: UInt64 {
    shift == PageSize.baseShift ? 0 : X86Entry.attributeTableHuge
  }

  @inlinable mutating func setCacheIndex(_ index: Int) {
    guard entry.isResident else { return }
    let table = shift == PageSize.baseShift ? X86Entry.attributeTable : X86Entry.attributeTableHuge
    entry.raw &= ~(table | X86Entry.cacheDisable | X86Entry.writeThrough)
    if index & 4 != 0 { entry.raw |= table }
    if index & 2 != 0 { entry.raw |= X86Entry.cacheDisable }
    if index & 1 != 0 { entry.raw |= X86Entry.writeThrough }
  }

  /// Another page size: rounds the address down, and moves the bits whose place depends on the size.
  @inlinable mutating func resize(_ newShift: UInt8) {
    let index = cacheIndex
    let physical = entry.isResident ? entry.physicalAddress(PageSize(shift: shift)).raw : 0
    shift = newShift
    address &= ~PageSize(shift: newShift).mask
    location = 0
    guard entry.isResident else { return }
    entry.raw &= ~(X86Entry.pageSize | X86Entry.addressMask)
    entry.raw |= physical & ~PageSize(shift: newShift).mask
    if newShift > PageSize.baseShift { entry.raw |= X86Entry.pageSize }
    setCacheIndex(index)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// A translation object that keeps every neutral attribute in a field of its own: no format, no sharing of bits.
///
/// It shows what the attributes mean by themselves. Real objects may tie attributes together where their format does
/// (x86-64 has one state for "not readable" and "NUMA hint").
public struct ModelObject: TranslationObject {
  @usableFromInline var values: InlineArray<18, UInt64>

  /// An unmapped object.
  public init(unmappedAt address: VirtualAddress, size: PageSize) {
    values = InlineArray(repeating: 0)
    self[.virtualAddress] = address.raw & ~size.mask
    self[.pageSize] = UInt64(size.shift)
  }

  /// The neutral attributes of an object of any driver.
  @inlinable public init<Other: TranslationObject>(describing other: Other) {
    values = InlineArray(repeating: 0)
    for key in 0..<TranslationAttribute.neutralCount {
      values[Int(key)] = other.peek(TranslationAttribute(key: key))
    }
  }

  private subscript(_ attribute: TranslationAttribute) -> UInt64 {
    get { values[Int(attribute.key)] }
    set { values[Int(attribute.key)] = newValue }
  }

  /// The field of the attribute.
  public func read(_ attribute: TranslationAttribute) throws(AttributeError) -> UInt64 {
    guard attribute.key < TranslationAttribute.neutralCount else { throw .unknown(attribute) }
    return self[attribute]
  }

  /// Changes the field, and what the attribute's description says follows from it.
  @discardableResult
  public mutating func write(
    _ attribute: TranslationAttribute, _ value: UInt64
  ) throws(AttributeError) -> UInt64 {
    let old = try read(attribute)
    guard accepts(attribute, value) else { throw .unrepresentable(attribute, value: value) }
    switch attribute {
    case .pageSize: resize(to: PageSize(shift: UInt8(truncatingIfNeeded: value)))
    case .mapped: if value == 0 { clear() }
    case .present: setPresent(value == 1)
    case .swapEntry: setSwap(value)
    default: self[attribute] = value
    }
    return old
  }

  private func accepts(_ attribute: TranslationAttribute, _ value: UInt64) -> Bool {
    let isPresent = self[.present] == 1
    let mask = PageSize(shift: UInt8(truncatingIfNeeded: self[.pageSize])).mask
    switch attribute {
    case .virtualAddress: return value & mask == 0
    case .pageSize: return value >= 12 && value < 64
    case .physicalAddress: return value & mask == 0 && value < 1 << 52 && (isPresent || value == 0)
    case .mapped: return value == 0 || value == 1 && self[.mapped] == 1
    case .present: return value <= 1
    case .swapEntry:
      guard let entry = SwapEntry(packed: value) else { return true }
      return entry.area <= 30 && entry.packed == value
    case .softDirty, .userfaultWriteProtected: return value == 0 || value == 1 && self[.mapped] == 1
    case .cacheMode: return value == 0 || isPresent && value < UInt64(CacheMode.allCases.count)
    default: return value == 0 || value == 1 && isPresent
    }
  }

  private mutating func clear() {
    self = ModelObject(
      unmappedAt: VirtualAddress(self[.virtualAddress]),
      size: PageSize(shift: UInt8(truncatingIfNeeded: self[.pageSize])))
  }

  /// Present for the first time: readable, executable, nothing else.
  private mutating func setPresent(_ isPresent: Bool) {
    guard isPresent != (self[.present] == 1) else { return }
    if isPresent || self[.present] == 1 { clear() }
    guard isPresent else { return }
    for attribute: TranslationAttribute in [.mapped, .present, .readable, .executable] { self[attribute] = 1 }
  }

  private mutating func setSwap(_ packed: UInt64) {
    guard packed != 0 || self[.swapEntry] != 0 else { return }
    let (softDirty, protected) = (self[.softDirty], self[.userfaultWriteProtected])
    clear()
    guard packed != 0 else { return }
    self[.mapped] = 1
    self[.swapEntry] = packed
    self[.softDirty] = softDirty
    self[.userfaultWriteProtected] = protected
  }

  private mutating func resize(to size: PageSize) {
    self[.pageSize] = UInt64(size.shift)
    self[.virtualAddress] &= ~size.mask
    self[.physicalAddress] &= ~size.mask
  }
}

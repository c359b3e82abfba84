// SPDX-License-Identifier: MIT
public import SimMemory

// Typed spellings of the neutral attributes. They inline to the driver's `read` and `write` with a constant key,
// which fold to a bit test or a bit operation.
extension TranslationObject {
  /// First byte of the virtual span.
  @inlinable @inline(__always) public var start: VirtualAddress { VirtualAddress(value(.virtualAddress)) }
  /// Size of the span. For an unmapped object it may be larger than any page.
  @inlinable @inline(__always) public var size: PageSize {
    PageSize(shift: UInt8(truncatingIfNeeded: value(.pageSize)))
  }
  /// The address behind the span. A cursor moves on to this, or to its range's end if that comes first.
  @inlinable @inline(__always) public var end: VirtualAddress { start.advanced(by: size.bytes) }
  /// The virtual span.
  @inlinable @inline(__always) public var span: VirtualRange { VirtualRange(start, bytes: size.bytes) }
  /// First byte of the physical span.
  /// - Precondition: on writing, the format can hold the address (use `write` where that is not sure).
  @inlinable @inline(__always) public var physicalAddress: PhysicalAddress {
    get { PhysicalAddress(value(.physicalAddress)) }
    set { setValue(.physicalAddress, newValue.raw) }
  }
  /// First frame of the physical span.
  @inlinable @inline(__always) public var frame: FrameNumber {
    get { physicalAddress.frame }
    set { physicalAddress = newValue.address }
  }
  /// Whether anything is recorded for the span.
  @inlinable @inline(__always) public var isMapped: Bool {
    get { value(.mapped) != 0 }
    set { setFlag(.mapped, newValue) }
  }
  /// Whether the contents are in memory.
  @inlinable @inline(__always) public var isPresent: Bool {
    get { value(.present) != 0 }
    set { setFlag(.present, newValue) }
  }
  /// Whether loads are allowed.
  @inlinable @inline(__always) public var isReadable: Bool {
    get { value(.readable) != 0 }
    set { setFlag(.readable, newValue) }
  }
  /// Whether stores are allowed.
  @inlinable @inline(__always) public var isWritable: Bool {
    get { value(.writable) != 0 }
    set { setFlag(.writable, newValue) }
  }
  /// Whether instruction fetches are allowed.
  @inlinable @inline(__always) public var isExecutable: Bool {
    get { value(.executable) != 0 }
    set { setFlag(.executable, newValue) }
  }
  /// Whether user mode may use the mapping.
  @inlinable @inline(__always) public var isUser: Bool {
    get { value(.user) != 0 }
    set { setFlag(.user, newValue) }
  }
  /// Whether the hardware used the mapping.
  @inlinable @inline(__always) public var isAccessed: Bool {
    get { value(.accessed) != 0 }
    set { setFlag(.accessed, newValue) }
  }
  /// Whether the hardware wrote through the mapping.
  @inlinable @inline(__always) public var isDirty: Bool {
    get { value(.dirty) != 0 }
    set { setFlag(.dirty, newValue) }
  }
  /// Whether the mapping is the same in all address spaces.
  @inlinable @inline(__always) public var isGlobal: Bool {
    get { value(.global) != 0 }
    set { setFlag(.global, newValue) }
  }
  /// The swap entry, where the contents are not in memory.
  @inlinable @inline(__always) public var swapEntry: SwapEntry? {
    get { SwapEntry(packed: value(.swapEntry)) }
    set { setValue(.swapEntry, newValue?.packed ?? 0) }
  }
  /// Whether the page was written since soft-dirty tracking was reset.
  @inlinable @inline(__always) public var isSoftDirty: Bool {
    get { value(.softDirty) != 0 }
    set { setFlag(.softDirty, newValue) }
  }
  /// Whether a userfaultfd write-protects the page.
  @inlinable @inline(__always) public var isUserfaultWriteProtected: Bool {
    get { value(.userfaultWriteProtected) != 0 }
    set { setFlag(.userfaultWriteProtected, newValue) }
  }
  /// Whether the page is in memory but every access faults.
  @inlinable @inline(__always) public var hasNumaHint: Bool {
    get { value(.numaHint) != 0 }
    set { setFlag(.numaHint, newValue) }
  }
  /// Whether the memory manager keeps no counts for the page.
  @inlinable @inline(__always) public var isSpecial: Bool {
    get { value(.special) != 0 }
    set { setFlag(.special, newValue) }
  }
  /// How caches treat the page.
  @inlinable @inline(__always) public var cacheMode: CacheMode {
    get { CacheMode(rawValue: UInt8(truncatingIfNeeded: value(.cacheMode))) ?? .writeBack }
    set { setValue(.cacheMode, UInt64(newValue.rawValue)) }
  }

  @inlinable @inline(__always) func value(_ attribute: TranslationAttribute) -> UInt64 {
    do { return try read(attribute) } catch { preconditionFailure("a neutral attribute is missing") }
  }

  @inlinable @inline(__always)
  mutating func setValue(_ attribute: TranslationAttribute, _ value: UInt64) {
    do { try write(attribute, value) } catch { preconditionFailure("the format cannot hold this value") }
  }

  @inlinable @inline(__always) mutating func setFlag(_ attribute: TranslationAttribute, _ flag: Bool) {
    setValue(attribute, flag ? 1 : 0)
  }
}

extension TranslationObject {
  /// The same mapping with all its attributes, architecture-specific ones included, at another place.
  /// - Parameters:
  ///   - start: aligned to `size`.
  ///   - size: the new page size.
  ///   - physicalAddress: the new physical start. Ignored for an object that is not present.
  @inlinable
  public func relocated(
    to start: VirtualAddress, size: PageSize, physicalAddress: PhysicalAddress
  ) -> Self {
    var moved = self
    moved.setValue(.pageSize, UInt64(size.shift))
    moved.setValue(.virtualAddress, start.raw)
    if moved.isPresent { moved.physicalAddress = physicalAddress }
    return moved
  }

  /// The same mapping at another virtual address.
  @inlinable public func moved(to start: VirtualAddress) -> Self {
    var moved = self
    moved.setValue(.virtualAddress, start.raw)
    return moved
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

// One search each, then one atomic operation on the entry, or none when it is as it should be.
extension ClusterTable {
  /// Customizable 32.
  @inlinable public func testAndClearAccessed(at address: VirtualAddress) throws(TranslationError) -> Bool {
    try resident(address) { place, raw in
      guard raw & X86Entry.accessed != 0 else { return false }
      return memory.fetchAnd(~X86Entry.accessed, at: place) & X86Entry.accessed != 0
    }.result
  }

  /// Customizable 33.
  @inlinable
  public func testAndClearDirty(at address: VirtualAddress) throws(TranslationError) -> TestedBit {
    let (wasSet, size) = try resident(address) { place, raw in
      guard raw & X86Entry.dirty != 0 else { return false }
      return memory.fetchAnd(~X86Entry.dirty, at: place) & X86Entry.dirty != 0
    }
    guard wasSet else { return TestedBit(wasSet: false, obligation: .none) }
    let page = VirtualRange(page: address, size)
    return TestedBit(wasSet: true, obligation: FlushObligation(owing: page, stride: size))
  }

  /// Customizable 34.
  @inlinable
  public func setAccessed(at address: VirtualAddress, alsoDirty: Bool) throws(TranslationError) {
    try raise(alsoDirty ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed, at: address)
  }

  /// Customizable 35.
  @inlinable public func makeWritable(at address: VirtualAddress) throws(TranslationError) {
    try raise(X86Entry.writable | X86Entry.accessed | X86Entry.dirty, at: address)
  }

  @inlinable func raise(_ bits: UInt64, at address: VirtualAddress) throws(TranslationError) {
    _ = try resident(address) { place, raw in
      raw & bits == bits || memory.fetchOr(bits, at: place) != 0
    }
  }

  /// Runs `body` on the entry of a page in memory, which does not move meanwhile.
  @inlinable @inline(__always)
  func resident(
    _ address: VirtualAddress, _ body: (PhysicalAddress, UInt64) -> Bool
  ) throws(TranslationError) -> (result: Bool, size: PageSize) {
    try shared { () throws(TranslationError) -> (result: Bool, size: PageSize) in
      let object = find(address)
      guard object.entry.isResident else { throw TranslationError.notMapped }
      context.meter.count(.entryWrite)
      return (body(PhysicalAddress(object.location), object.entry.raw), object.size)
    }
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension RadixTree {
  /// Customizable 31. One walk and one word; `body` runs once, and bits that hardware sets meanwhile are kept.
  @inlinable
  public func updateAttributes(
    at address: VirtualAddress, _ body: (inout X86Object) -> Void
  ) throws(TranslationError) -> Change<X86Object> {
    let slot = lookUp(address)
    guard !slot.isVoid else { throw .notMapped }
    var changed = object(slot)
    body(&changed)
    guard changed.isMapped else { throw .notMapped }
    let entry = changed.entry
    let old = change(slot.word, slot.raw) { mapping in
      let late = mapping & ~slot.raw & (X86Entry.accessed | X86Entry.dirty)
      return entry.isResident ? entry.mapping | late : entry.mapping
    }
    context.meter.count(.entryWrite)
    return Change(old: object(slot, replaced: old))
  }

  /// Customizable 32. One walk, and one word if the bit was set.
  @inlinable public func testAndClearAccessed(at address: VirtualAddress) throws(TranslationError) -> Bool {
    try testAndClear(X86Entry.accessed, present(address))
  }

  /// Customizable 33. One walk, and one word if the bit was set.
  @inlinable
  public func testAndClearDirty(at address: VirtualAddress) throws(TranslationError) -> TestedBit {
    let slot = try present(address)
    let wasSet = testAndClear(X86Entry.dirty, slot)
    return TestedBit(
      wasSet: wasSet, obligation: wasSet ? FlushObligation(owing: slot.span, stride: slot.size) : .none)
  }

  /// Customizable 34. One walk and one word.
  @inlinable
  public func setAccessed(at address: VirtualAddress, alsoDirty: Bool) throws(TranslationError) {
    let bits = alsoDirty ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
    setBits(bits, try present(address))
  }

  /// Customizable 35. One walk and one word.
  @inlinable public func makeWritable(at address: VirtualAddress) throws(TranslationError) {
    setBits(X86Entry.writable | X86Entry.dirty | X86Entry.accessed, try present(address))
  }

  @inlinable func setBits(_ bits: UInt64, _ slot: Slot) {
    _ = memory.fetchOr(bits, at: slot.word)
    context.meter.count(.entryWrite)
  }

  @inlinable func testAndClear(_ bit: UInt64, _ slot: Slot) -> Bool {
    guard slot.raw & bit != 0 else { return false }
    context.meter.count(.entryWrite)
    return memory.fetchAnd(~bit, at: slot.word) & bit != 0
  }

  /// The slot of the page in memory at `address`.
  @inlinable func present(_ address: VirtualAddress) throws(TranslationError) -> Slot {
    let slot = lookUp(address)
    guard X86Entry(slot.raw).isResident else { throw .notMapped }
    return slot
  }
}

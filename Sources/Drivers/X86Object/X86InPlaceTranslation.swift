// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory

/// An entry that was found: where it is, what was read there, and its page.
@frozen public struct X86Place: BitwiseCopyable, Sendable {
  /// Where the entry is.
  public let word: PhysicalAddress
  /// What was read there, scheme bits included.
  public let raw: UInt64
  /// The page.
  public let page: VirtualRange
  /// The page's size.
  public let size: PageSize

  /// Describes an entry.
  @inlinable public init(word: PhysicalAddress, raw: UInt64, page: VirtualRange, size: PageSize) {
    self.word = word
    self.raw = raw
    self.page = page
    self.size = size
  }

  /// The object whose entry is `raw`.
  @inlinable func object(_ raw: UInt64) -> X86Object { X86Object(page.start, size, entry: X86Entry(raw)) }
}

/// A database whose entries are single x86-64 words that can be changed where they are. It gets customizable functions
/// 31–35 for that: one search each, then one atomic operation, or none when the entry is as it should be.
public protocol X86InPlaceTranslation: InPlaceTranslation where Object == X86Object {
  /// Runs `body` on the entry that maps `address` (a page in memory or swapped out), which does not move meanwhile.
  /// - Throws: `.notMapped`, or what `body` throws.
  func withEntry<Result: ~Copyable>(
    at address: VirtualAddress, _ body: (X86Place) throws(TranslationError) -> Result
  ) throws(TranslationError) -> Result
}

extension X86InPlaceTranslation {
  /// Customizable 31. `body` runs once, and bits that hardware sets meanwhile are kept.
  @inlinable
  public func updateAttributes(
    at address: VirtualAddress, _ body: (inout X86Object) -> Void
  ) throws(TranslationError) -> Change<X86Object> {
    try withEntry(at: address) { (place) throws(TranslationError) in
      var changed = place.object(place.raw)
      body(&changed)
      guard changed.isMapped else { throw TranslationError.notMapped }
      let entry = changed.entry
      let old = memory.change(place.word, place.raw) { mapping in
        let late = mapping & ~place.raw & (X86Entry.accessed | X86Entry.dirty)
        return entry.isResident ? entry.mapping | late : entry.mapping
      }
      context.meter.count(.entryWrite)
      return Change(old: place.object(old))
    }
  }

  /// Customizable 32.
  @inlinable public func testAndClearAccessed(at address: VirtualAddress) throws(TranslationError) -> Bool {
    try withPage(at: address) { testAndClear(X86Entry.accessed, $0) }
  }

  /// Customizable 33.
  @inlinable
  public func testAndClearDirty(at address: VirtualAddress) throws(TranslationError) -> TestedBit {
    try withPage(at: address) { place in
      let wasSet = testAndClear(X86Entry.dirty, place)
      let isOwed = wasSet && !Mutation.dirtyTestOwesNothing.isPlanted
      return TestedBit(
        wasSet: wasSet, obligation: isOwed ? FlushObligation(owing: place.page, stride: place.size) : .none)
    }
  }

  /// Customizable 34.
  @inlinable
  public func setAccessed(at address: VirtualAddress, alsoDirty: Bool) throws(TranslationError) {
    let bits = alsoDirty ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
    try withPage(at: address) { setBits(bits, $0) }
  }

  /// Customizable 35.
  @inlinable public func makeWritable(at address: VirtualAddress) throws(TranslationError) {
    try withPage(at: address) { setBits(X86Entry.writable | X86Entry.dirty | X86Entry.accessed, $0) }
  }

  @inlinable @inline(__always) var memory: PhysicalMemory { context.platform.memory }

  /// `withEntry` for pages in memory.
  @inlinable @inline(__always)
  func withPage<Result: ~Copyable>(
    at address: VirtualAddress, _ body: (X86Place) -> Result
  ) throws(TranslationError) -> Result {
    try withEntry(at: address) { (place) throws(TranslationError) in
      guard X86Entry(place.raw).isResident else { throw TranslationError.notMapped }
      return body(place)
    }
  }

  @inlinable @inline(__always) func setBits(_ bits: UInt64, _ place: X86Place) {
    _ = memory.fetchOr(bits, at: place.word)
    context.meter.count(.entryWrite)
  }

  @inlinable @inline(__always) func testAndClear(_ bit: UInt64, _ place: X86Place) -> Bool {
    guard place.raw & bit != 0 else { return false }
    context.meter.count(.entryWrite)
    return memory.fetchAnd(~bit, at: place.word) & bit != 0
  }
}

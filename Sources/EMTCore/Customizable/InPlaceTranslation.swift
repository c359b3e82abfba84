// SPDX-License-Identifier: MIT
public import SimMemory

/// The result of testing and clearing a bit that hardware sets.
@frozen public struct TestedBit: ~Copyable, Sendable {
  /// Whether the bit was set.
  public let wasSet: Bool
  @usableFromInline let obligation: FlushObligation

  /// Describes a test.
  @inlinable public init(wasSet: Bool, obligation: consuming FlushObligation) {
    self.wasSet = wasSet
    self.obligation = obligation
  }

  /// Leaves the flush that is owed: until it happened, hardware that remembers the bit does not set it again.
  @inlinable public consuming func takeObligation() -> FlushObligation { obligation }
}

/// Customizable functions 31–35: changing the entry of a mapped page where it is.
public protocol InPlaceTranslation: TranslationDatabaseBasics {
  /// Customizable 31: changes attributes of the object at `address`, not its address or size.
  /// - Throws: `.notMapped`.
  func updateAttributes(
    at address: VirtualAddress, _ body: (inout Object) -> Void
  ) throws(TranslationError) -> Change<Object>

  /// Customizable 32: clears the accessed bit. No flush is owed: a late bit only makes a page look older.
  /// - Throws: `.notMapped` unless the object is present.
  func testAndClearAccessed(at address: VirtualAddress) throws(TranslationError) -> Bool

  /// Customizable 33: clears the dirty bit.
  /// - Throws: `.notMapped` unless the object is present.
  func testAndClearDirty(at address: VirtualAddress) throws(TranslationError) -> TestedBit

  /// Customizable 34: sets accessed, and dirty for a store, as the hardware would.
  /// - Throws: `.notMapped` unless the object is present.
  func setAccessed(at address: VirtualAddress, alsoDirty: Bool) throws(TranslationError)

  /// Customizable 35: allows stores and marks the page dirty (copy-on-write reuse). No flush is owed: hardware walks
  /// again before it reports a fault.
  /// - Throws: `.notMapped` unless the object is present.
  func makeWritable(at address: VirtualAddress) throws(TranslationError)
}

extension InPlaceTranslation {
  /// Default: find, change, update.
  @inlinable
  public func updateAttributes(
    at address: VirtualAddress, _ body: (inout Object) -> Void
  ) throws(TranslationError) -> Change<Object> {
    var object = find(address)
    guard object.isMapped else { throw .notMapped }
    body(&object)
    return try update(object)
  }

  /// Default: find, clear, update.
  @inlinable public func testAndClearAccessed(at address: VirtualAddress) throws(TranslationError) -> Bool {
    var object = find(address)
    guard object.isPresent else { throw .notMapped }
    guard object.isAccessed else { return false }
    object.isAccessed = false
    try update(object).takeObligation().discharge()
    return true
  }

  /// Default: find, clear, update.
  @inlinable
  public func testAndClearDirty(at address: VirtualAddress) throws(TranslationError) -> TestedBit {
    var object = find(address)
    guard object.isPresent else { throw .notMapped }
    guard object.isDirty else { return TestedBit(wasSet: false, obligation: .none) }
    object.isDirty = false
    return TestedBit(wasSet: true, obligation: try update(object).takeObligation())
  }

  /// Default: find, set, update.
  @inlinable
  public func setAccessed(at address: VirtualAddress, alsoDirty: Bool) throws(TranslationError) {
    var object = find(address)
    guard object.isPresent else { throw .notMapped }
    object.isAccessed = true
    if alsoDirty { object.isDirty = true }
    try update(object).takeObligation().discharge()
  }

  /// Default: find, set, update.
  @inlinable public func makeWritable(at address: VirtualAddress) throws(TranslationError) {
    var object = find(address)
    guard object.isPresent else { throw .notMapped }
    object.isWritable = true
    object.isDirty = true
    object.isAccessed = true
    try update(object).takeObligation().discharge()
  }
}

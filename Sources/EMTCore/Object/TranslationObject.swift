// SPDX-License-Identifier: MIT
public import SimMemory

/// One virtual-to-physical mapping with all its metadata, as attributes. A value: changing it changes this copy
/// only, `update` on a database makes it so.
///
/// An object exists for every address: an unmapped one has `isMapped == false`, and its span is the largest
/// aligned range around the address that the driver knows to be void. An object may also carry a driver-private
/// location, checked against the context's move generation, so that an update right after a find needs no second
/// search; neutral code never looks at it. EMT paper §4.1, `tobj`.
public protocol TranslationObject: Sendable, BitwiseCopyable {
  /// Basic 1: a blank for the page of `size` at `address`.
  /// - Parameter address: aligned to `size`.
  init(unmappedAt address: VirtualAddress, size: PageSize)

  /// Basic 2: the value of an attribute (`tobj_read_attr`). Booleans read as 0 or 1.
  /// - Throws: `AttributeError.unknown` for a key that the driver does not have; never a default.
  func read(_ attribute: TranslationAttribute) throws(AttributeError) -> UInt64

  /// Basic 3: changes an attribute of this copy (`tobj_write_attr`).
  /// - Returns: the value before.
  /// - Throws: `AttributeError` when the key is unknown or the format cannot hold the value; the object
  ///   is unchanged then.
  @discardableResult
  mutating func write(_ attribute: TranslationAttribute, _ value: UInt64) throws(AttributeError) -> UInt64

  /// Makes this object a page in memory at `frame` with `grants` and no other attribute set: several writes in one,
  /// for the fault handler. There is a default; a format may build its entry at once.
  /// - Precondition: `frame` is aligned to the object's size, and the format can hold it.
  mutating func place(_ frame: FrameNumber, _ grants: PageGrants)
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// The required half of a driver: the translation objects of one address space, at most one for an address.
///
/// A driver conforms to `TranslationDatabase`, which adds the customizable functions. A database is a small
/// copyable handle of `let` pointers. It does not interpret objects beyond storing them. EMT paper §4.1, `tdb`.
///
/// Threads: functions for disjoint ranges may run at the same time under the locks that `rangeLock` gives out;
/// what the driver shares between ranges it protects itself.
public protocol TranslationDatabaseBasics: Sendable, SendableMetatype {
  /// The driver's objects.
  associatedtype Object: TranslationObject
  /// The driver's service.
  associatedtype Service: TranslationService

  /// The neutral state of the address space. `context.cpu` names the CPU that works through this handle.
  var context: DatabaseContext { get set }

  /// Basic 4: the object at `address` (`tdb_find_tobj`): mapped, or unmapped with the largest aligned span around
  /// the address that is known to be void (a driver that cannot know says base size). Never fails: an address that
  /// the scheme cannot translate is unmapped.
  func find(_ address: VirtualAddress) -> Object

  /// Basic 5: inserts or replaces the object at its address and size (`tdb_update_tobj`).
  /// - Parameter object: mapped, of a size that the service offers.
  /// - Returns: the object before, and the flush that is owed for it.
  /// - Throws: `.outOfMemory`, `.sizeConflict` with what is mapped, `.unsupportedSize`, `.badAddress`,
  ///   `.notMapped` for an unmapped object. Nothing changed then.
  func update(_ object: Object) throws(TranslationError) -> Change<Object>

  /// Basic 6: removes the object at `object`'s address and size (`tdb_remove_tobj`).
  ///
  /// Table memory is kept: an update with the old object right afterwards does not fail, which is how callers undo.
  /// Empty tables go when a range is removed, when a larger page takes their place, or with `release`.
  /// - Throws: `.notMapped` when there is none, `.sizeConflict` when it has another size.
  func remove(_ object: Object) throws(TranslationError) -> Change<Object>

  /// Basic 7: the bytes that the database's own structures occupy, by kind. Exact.
  var footprint: TableFootprint { get }

  /// Basic 8: gives every frame of the tables back. The database is empty of use afterwards.
  func release()
}

/// What a new driver conforms to: the basic functions, and the customizable ones in seven groups, each with a neutral
/// default that is written with the basic functions only.
///
/// A driver with the basic functions alone is correct. A customized function makes it faster, never more right: the
/// default and the custom form give the same results.
public protocol TranslationDatabase: TranslationDatabaseBasics, TranslationIteration, HugePageTranslation,
  AddressRangeTranslation, RangeLocking, SwapTranslation, TranslationFlushing, InPlaceTranslation
where Service.Database == Self {}

// SPDX-License-Identifier: MIT
public import SimMemory

/// A driver seen through its 15 basic functions only: every customizable function is the neutral default.
///
/// The database underneath is the same, with the same registers and the same bits in memory, so the driver's own
/// walker reads it. Suites run every driver as it is and in this form, and the two must give the same results.
@frozen public struct BasicOnly<Base: TranslationDatabase>: TranslationDatabase {
  /// The driver's objects.
  public typealias Object = Base.Object
  /// The driver's service in the same disguise.
  public typealias Service = BasicOnlyService<Base>

  /// The driver's database with all its functions.
  public var base: Base

  /// Hides the customizations of `base`.
  @inlinable public init(_ base: Base) { self.base = base }

  /// The neutral state of the address space.
  @inlinable public var context: DatabaseContext {
    get { base.context }
    set { base.context = newValue }
  }

  /// Basic 4.
  @inlinable public func find(_ address: VirtualAddress) -> Object { base.find(address) }

  /// Basic 5.
  @inlinable public func update(_ object: Object) throws(TranslationError) -> Change<Object> {
    try base.update(object)
  }

  /// Basic 6.
  @inlinable public func remove(_ object: Object) throws(TranslationError) -> Change<Object> {
    try base.remove(object)
  }

  /// Basic 7.
  @inlinable public var footprint: TableFootprint { base.footprint }

  /// Basic 8.
  @inlinable public func release() { base.release() }
}

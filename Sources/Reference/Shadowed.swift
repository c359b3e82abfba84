// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// A driver's database with the model beside it: every call runs on both, and results, errors, owed flushes and the
/// touched range are compared.
///
/// Callers see exactly what the driver does. The first difference goes to the service's `DivergenceLog`. The memory
/// manager runs on `Shadowed<Driver>` unchanged, with the driver's own walker; its counts of kernel work are not
/// comparable, because comparing searches too.
public struct Shadowed<Base: TranslationDatabase>: TranslationDatabase {
  /// The driver's objects.
  public typealias Object = Base.Object
  /// The driver's service with models.
  public typealias Service = ShadowedService<Base>
  /// The driver's iterator.
  public typealias Iterator = Base.Iterator
  /// The driver's lock.
  public typealias Lock = Base.Lock

  /// The driver's database.
  public var base: Base
  @usableFromInline let model: ModelDatabase<Object>
  @usableFromInline let shadow: ShadowState<Base>

  @inlinable init(_ base: Base, model: ModelDatabase<Object>, shadow: ShadowState<Base>) {
    self.base = base
    self.model = model
    self.shadow = shadow
  }

  /// The neutral state of the address space.
  @inlinable public var context: DatabaseContext {
    get { base.context }
    set { base.context = newValue }
  }

  /// Basic 4.
  @inlinable public func find(_ address: VirtualAddress) -> Object {
    begin("find", VirtualRange(page: address, .base))
    let found = base.find(address)
    check(found, at: address)
    return found
  }

  /// Basic 5.
  @inlinable public func update(_ object: Object) throws(TranslationError) -> Change<Object> {
    begin("update", object.span, object)
    defer { finish(object.span) }
    let objections = model.objections(toUpdating: object)
    do throws(TranslationError) {
      let change = try base.update(object)
      guard objections.isEmpty else {
        report("one of \(objections)", "success")
        return change
      }
      let before = model.find(object.start)
      model.put(object)
      return check(change, before: before, after: object)
    } catch {
      check(error, isOneOf: objections)
      throw error
    }
  }

  /// Basic 6.
  @inlinable public func remove(_ object: Object) throws(TranslationError) -> Change<Object> {
    begin("remove", object.span, object)
    defer { finish(object.span) }
    let objections = model.objections(toRemoving: object)
    do throws(TranslationError) {
      let change = try base.remove(object)
      guard objections.isEmpty else {
        report("one of \(objections)", "success")
        return change
      }
      let before = model.find(object.start)
      model.take(before)
      return check(change, before: before, after: nil)
    } catch {
      check(error, isOneOf: objections)
      throw error
    }
  }

  /// Basic 7.
  @inlinable public var footprint: TableFootprint { base.footprint }

  /// Basic 8.
  @inlinable public func release() {
    base.release()
    model.release()
  }
}

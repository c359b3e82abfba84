// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// The naive reference: the contract read literally over a sorted list of objects.
///
/// It is the oracle of differential runs, not a driver: nothing is in simulated memory and no walker can read it. It
/// holds objects of any driver, so that a comparison needs no translation of attributes.
public struct ModelDatabase<Object: TranslationObject>: TranslationDatabase {
  /// The model's service.
  public typealias Service = ModelService<Object>

  /// The neutral state of the address space.
  public var context: DatabaseContext
  @usableFromInline let user: ModelTable<Object>
  @usableFromInline let kernel: ModelTable<Object>
  /// Bits of a virtual address: an address is good when all bits from the last one of these upwards are equal.
  @usableFromInline let addressBits: Int

  @inlinable init(
    context: DatabaseContext, user: ModelTable<Object>, kernel: ModelTable<Object>, addressBits: Int = 48
  ) {
    self.context = context
    self.user = user
    self.kernel = kernel
    self.addressBits = addressBits
  }

  /// A model beside a driver's database that keeps its neutral state in `context`.
  @inlinable init(beside context: DatabaseContext, kernel: ModelDatabase?, addressBits: Int = 48) {
    let table = ModelTable<Object>()
    self.init(context: context, user: table, kernel: kernel?.kernel ?? table, addressBits: addressBits)
  }

  /// The kernel's half is shared by all models of a service.
  @inlinable func table(_ address: VirtualAddress) -> ModelTable<Object> {
    address.raw >> 63 == 1 ? kernel : user
  }

  /// Basic 4, with the largest void span there is.
  @inlinable public func find(_ address: VirtualAddress) -> Object {
    if let object = table(address).object(at: address) { return object }
    let gap = table(address).gap(around: address)
    var size = PageSize.base
    while size.shift < addressBits - 1 {
      let larger = PageSize(shift: size.shift + 1)
      let span = VirtualRange(page: address, larger)
      guard span.start >= gap.low, gap.high.map({ span.end <= $0 }) ?? true,
        isTranslatable(span.start), isTranslatable(VirtualAddress(span.end.raw &- 1))
      else { break }
      size = larger
    }
    return Object(unmappedAt: address.aligned(down: size), size: size)
  }

  /// Basic 5.
  @inlinable public func update(_ object: Object) throws(TranslationError) -> Change<Object> {
    if let objection = objections(toUpdating: object).first { throw objection }
    let old = table(object.start).object(at: object.start)
    table(object.start).put(object)
    return Change(old: old ?? Object(unmappedAt: object.start, size: object.size))
  }

  /// Basic 6.
  @inlinable public func remove(_ object: Object) throws(TranslationError) -> Change<Object> {
    if let objection = objections(toRemoving: object).first { throw objection }
    let old = find(object.start)
    table(object.start).take(object.start)
    return Change(old: old)
  }

  /// Basic 7: the model owns no simulated memory.
  @inlinable public var footprint: TableFootprint { TableFootprint() }

  /// Basic 8.
  @inlinable public func release() { user.empty() }
}

extension ModelDatabase {
  /// All mapped objects that touch `range`, in order of address.
  @inlinable public func objects(touching range: VirtualRange) -> [Object] {
    table(range.start).objects(touching: range)
  }

  /// The first of them. Logarithmic in their number.
  @inlinable public func first(touching range: VirtualRange) -> Object? {
    let object = table(range.start).first(endingAfter: range.start)
    // The end of the last page of all wraps to zero.
    return object.flatMap { $0.start.raw <= range.end.raw &- 1 ? $0 : nil }
  }

  /// The mapped object that holds `address`.
  @inlinable func mapped(at address: VirtualAddress) -> Object? { table(address).object(at: address) }

  /// Records `object` whatever is there; its span holds nothing else.
  @inlinable func put(_ object: Object) { table(object.start).put(object) }

  /// Forgets the object that starts where `object` does.
  @inlinable func take(_ object: Object) { table(object.start).take(object.start) }

  /// Whether the scheme can translate `address`.
  @inlinable public func isTranslatable(_ address: VirtualAddress) -> Bool {
    let high = Int64(bitPattern: address.raw) >> Int64(addressBits - 1)
    return high == 0 || high == -1
  }

  /// Every reason to refuse an update, most basic first. A driver may report any of them.
  @inlinable public func objections(toUpdating object: Object) -> [TranslationError] {
    var found: [TranslationError] = []
    if !object.isMapped { found.append(.notMapped) }
    if !context.pageSizes.contains(object.size) { found.append(.unsupportedSize(object.size)) }
    if !isTranslatable(object.start) { found.append(.badAddress(object.start)) }
    for other in objects(touching: object.span) where other.start != object.start || other.size != object.size
    {
      found.append(.sizeConflict(existing: other.start, size: other.size))
    }
    return found
  }

  /// Every reason to refuse a removal. Where only other parts of the span are mapped, "not mapped" and "another size"
  /// are both true.
  @inlinable public func objections(toRemoving object: Object) -> [TranslationError] {
    let touching = objects(touching: object.span)
    if let exact = touching.first, exact.start == object.start, exact.size == object.size { return [] }
    let conflicts = touching.map { TranslationError.sizeConflict(existing: $0.start, size: $0.size) }
    let isStartMapped = touching.first.map { $0.start <= object.start } ?? false
    return isStartMapped ? conflicts : [.notMapped] + conflicts
  }
}

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
  let user: ModelTable<Object>
  let kernel: ModelTable<Object>

  init(context: DatabaseContext, user: ModelTable<Object>, kernel: ModelTable<Object>) {
    self.context = context
    self.user = user
    self.kernel = kernel
  }

  /// A model beside a driver's database that keeps its neutral state in `context`.
  init(beside context: DatabaseContext, kernel: ModelDatabase?) {
    let table = ModelTable<Object>()
    self.init(context: context, user: table, kernel: kernel?.kernel ?? table)
  }

  /// The kernel's half is shared by all models of a service.
  private func table(_ address: VirtualAddress) -> ModelTable<Object> {
    address.raw >> 63 == 1 ? kernel : user
  }

  /// Basic 4, with the largest void span there is.
  public func find(_ address: VirtualAddress) -> Object {
    if let object = table(address).object(at: address) { return object }
    let gap = table(address).gap(around: address)
    var size = PageSize.base
    while size.shift < 47 {
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
  public func update(_ object: Object) throws(TranslationError) -> Change<Object> {
    if let objection = objections(toUpdating: object).first { throw objection }
    let old = table(object.start).object(at: object.start)
    table(object.start).put(object)
    return Change(old: old ?? Object(unmappedAt: object.start, size: object.size))
  }

  /// Basic 6.
  public func remove(_ object: Object) throws(TranslationError) -> Change<Object> {
    if let objection = objections(toRemoving: object).first { throw objection }
    let old = find(object.start)
    table(object.start).take(object.start)
    return Change(old: old)
  }

  /// Basic 7: the model owns no simulated memory.
  public var footprint: TableFootprint { TableFootprint() }

  /// Basic 8.
  public func release() { user.empty() }
}

extension ModelDatabase {
  /// All mapped objects that touch `range`, in order of address.
  public func objects(touching range: VirtualRange) -> [Object] {
    table(range.start).objects(touching: range)
  }

  /// Records `object` whatever is there; its span holds nothing else.
  func put(_ object: Object) { table(object.start).put(object) }

  /// Forgets the object that starts where `object` does.
  func take(_ object: Object) { table(object.start).take(object.start) }

  /// Whether a four-level x86-64 walk can reach `address`: bits 47 to 63 are equal.
  public func isTranslatable(_ address: VirtualAddress) -> Bool {
    let high = Int64(bitPattern: address.raw) >> 47
    return high == 0 || high == -1
  }

  /// Every reason to refuse an update, most basic first. A driver may report any of them.
  public func objections(toUpdating object: Object) -> [TranslationError] {
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
  public func objections(toRemoving object: Object) -> [TranslationError] {
    let touching = objects(touching: object.span)
    if let exact = touching.first, exact.start == object.start, exact.size == object.size { return [] }
    let conflicts = touching.map { TranslationError.sizeConflict(existing: $0.start, size: $0.size) }
    let isStartMapped = touching.first.map { $0.start <= object.start } ?? false
    return isStartMapped ? conflicts : [.notMapped] + conflicts
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

/// A driver seen through its basic functions, on a machine where hardware uses a page at the worst moment: between the look
/// at an object and the change that follows from it. Every customizable function is the neutral default, which must not
/// lose what hardware said.
struct Interrupted<Base: TranslationDatabase>: TranslationDatabase {
  typealias Object = Base.Object
  typealias Service = InterruptedService<Base>

  var base: Base

  init(_ base: Base) { self.base = base }

  var context: DatabaseContext {
    get { base.context }
    set { base.context = newValue }
  }

  func find(_ address: VirtualAddress) -> Object { base.find(address) }

  func update(_ object: Object) throws(TranslationError) -> Change<Object> {
    try use(object.start)
    return try base.update(object)
  }

  func remove(_ object: Object) throws(TranslationError) -> Change<Object> {
    try use(object.start)
    return try base.remove(object)
  }

  var footprint: TableFootprint { base.footprint }

  func release() { base.release() }

  /// A store by hardware, where there is a page that allows it.
  private func use(_ address: VirtualAddress) throws(TranslationError) {
    let object = base.find(address)
    if object.isPresent, object.isWritable { try base.setAccessed(at: address, alsoDirty: true) }
  }
}

/// The service of an interrupted driver.
struct InterruptedService<Base: TranslationDatabase>: TranslationService {
  typealias Database = Interrupted<Base>
  typealias Root = Base.Service.Root

  let base: Base.Service

  var registers: ControlRegisters<Database> { base.registers.viewed(through: Database.self) }

  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self {
    Self(base: try Base.Service.boot(platform, options: options))
  }

  func shutDown() { base.shutDown() }
  var pageSizes: PageSizes { base.pageSizes }
  var userEnd: VirtualAddress { base.userEnd }

  func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database {
    Interrupted(try base.makeDatabase(context))
  }

  func destroy(_ database: Database) throws(ServiceError) { try base.destroy(database.base) }

  func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database {
    Interrupted(try base.switchTo(database.base, on: cpu))
  }

  func current(on cpu: Int) throws(ServiceError) -> Database { Interrupted(try base.current(on: cpu)) }

  var kernelDatabase: Database { Interrupted(base.kernelDatabase) }
}

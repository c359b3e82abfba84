// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import SimMemory
import X86Object

/// One way to break the contract. What is not overridden does the right thing.
protocol Flaw: Sendable, SendableMetatype {
  static func find(_ base: MinimalDatabase, _ address: VirtualAddress) -> X86Object
  static func update(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object>
  static func remove(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object>
  static func footprint(_ base: MinimalDatabase) -> TableFootprint
  static func release(_ base: MinimalDatabase)
  static func isVoid(_ base: MinimalDatabase, _ range: VirtualRange) -> Bool
  static func cursor(behind object: X86Object, at position: VirtualAddress) -> VirtualAddress
  static var ignoresRunningCPUs: Bool { get }
  static var marksAbsentCPUs: Bool { get }
}

extension Flaw {
  static func find(_ base: MinimalDatabase, _ address: VirtualAddress) -> X86Object { base.find(address) }
  static func update(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> { try base.update(object) }
  static func remove(
    _ base: MinimalDatabase, _ object: X86Object
  ) throws(TranslationError) -> Change<X86Object> { try base.remove(object) }
  static func footprint(_ base: MinimalDatabase) -> TableFootprint { base.footprint }
  static func release(_ base: MinimalDatabase) { base.release() }
  static func isVoid(_ base: MinimalDatabase, _ range: VirtualRange) -> Bool { base.isVoid(range) }
  static func cursor(behind object: X86Object, at position: VirtualAddress) -> VirtualAddress { object.end }
  static var ignoresRunningCPUs: Bool { false }
  static var marksAbsentCPUs: Bool { true }
}

/// The minimal driver with a flaw.
struct Broken<Defect: Flaw>: TranslationDatabase {
  typealias Object = X86Object
  typealias Service = BrokenService<Defect>
  var base: MinimalDatabase

  var context: DatabaseContext {
    get { base.context }
    set { base.context = newValue }
  }
  func find(_ address: VirtualAddress) -> X86Object { Defect.find(base, address) }
  func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    try Defect.update(base, object)
  }
  func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    try Defect.remove(base, object)
  }
  var footprint: TableFootprint { Defect.footprint(base) }
  func release() { Defect.release(base) }
  func isVoid(_ range: VirtualRange) -> Bool { Defect.isVoid(base, range) }
  func next(_ iterator: inout RangeIterator) -> X86Object {
    let object = find(iterator.position)
    iterator.position = min(Defect.cursor(behind: object, at: iterator.position), iterator.end)
    return object
  }
  func flush(_ address: VirtualAddress) {
    if Defect.marksAbsentCPUs || context.cpu.isBatching(context.spaceID) { return base.flush(address) }
    for cpu in 0..<context.platform.cpuCount where context.runningOn >> UInt64(cpu) & 1 == 1 {
      context.platform.cpu(cpu).mailbox.post(
        Invalidation(scope: .space(context.spaceID), range: VirtualRange(page: address, .base)))
    }
  }
}

struct BrokenService<Defect: Flaw>: TranslationService {
  typealias Database = Broken<Defect>
  typealias Root = RadixRoot
  let base: MinimalService
  let registers: ControlRegisters<Database>

  var pageSizes: PageSizes { base.pageSizes }
  var kernelDatabase: Database { Broken(base: base.kernelDatabase) }

  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self {
    let base = try MinimalService.boot(platform, options: options)
    let kernel = Broken<Defect>(base: base.kernelDatabase)
    let registers = ControlRegisters(
      repeating: platform.cpuCount, database: kernel, root: { base.registers[$0] })
    return Self(base: base, registers: registers)
  }
  func shutDown() {
    registers.releaseCopy()
    base.shutDown()
  }
  func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database {
    Broken(base: try base.makeDatabase(context))
  }
  func destroy(_ database: Database) throws(ServiceError) {
    let running = database.context.runningOn
    guard running == 0 || Defect.ignoresRunningCPUs else { throw .inUse(cpus: running) }
    if running == 0 { database.release() }
  }
  func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database {
    let previous = try base.switchTo(database.base, on: cpu)
    registers.repeatLoad(database, root: base.registers[cpu], on: cpu)
    return Broken(base: previous)
  }
  func current(on cpu: Int) throws(ServiceError) -> Database {
    Broken(base: try base.current(on: cpu))
  }
}

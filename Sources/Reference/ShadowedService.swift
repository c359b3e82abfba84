// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
internal import Synchronization

/// What all databases of one shadowed service share.
final class ShadowState<Base: TranslationDatabase>: Sendable {
  let log: DivergenceLog
  let hardwareSetsBits: Bool
  let service: Base.Service
  /// Set right after booting: the registers hold databases, which hold this.
  let registers = Mutex<ControlRegisters<Shadowed<Base>>?>(nil)
  let kernelModel: ModelDatabase<Base.Object>

  init(_ service: Base.Service, log: DivergenceLog, hardwareSetsBits: Bool) {
    self.service = service
    self.log = log
    self.hardwareSetsBits = hardwareSetsBits
    kernelModel = ModelDatabase(beside: service.kernelDatabase.context, kernel: nil)
  }

  var kernelDatabase: Shadowed<Base> { Shadowed(service.kernelDatabase, model: kernelModel, shadow: self) }

  /// A driver may change its root while CPUs run on it.
  func repeatRoots(of database: Base) {
    guard let registers = registers.withLock({ $0 }) else { return }
    var cpus = database.context.runningOn
    while cpus != 0 {
      let cpu = cpus.trailingZeroBitCount
      registers.repeatRoot(service.registers[cpu], on: cpu)
      cpus &= cpus - 1
    }
  }
}

/// The service of a driver with models beside its databases.
public struct ShadowedService<Base: TranslationDatabase>: TranslationService {
  /// A driver's database with a model.
  public typealias Database = Shadowed<Base>
  /// What the driver's walker starts from.
  public typealias Root = Base.Service.Root

  let shadow: ShadowState<Base>
  /// The driver's service.
  public var base: Base.Service { shadow.service }
  /// Where the first divergence is found.
  public var log: DivergenceLog { shadow.log }
  /// The driver's registers, repeated.
  public let registers: ControlRegisters<Database>

  /// Basic 9. Accessed and dirty bits may be set by hardware at any time.
  public static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self {
    try boot(platform, options: options, hardwareSetsBits: true)
  }

  /// Boots the driver with models beside it.
  /// - Parameter hardwareSetsBits: whether accessed and dirty bits may appear without a call; when not, they are
  ///   compared like every other attribute.
  public static func boot(
    _ platform: Platform, options: DriverOptions, log: DivergenceLog = DivergenceLog(), hardwareSetsBits: Bool
  ) throws(ServiceError) -> Self {
    let base = try Base.Service.boot(platform, options: options)
    let shadow = ShadowState<Base>(base, log: log, hardwareSetsBits: hardwareSetsBits)
    let registers = ControlRegisters(repeating: platform.cpuCount, database: shadow.kernelDatabase) {
      base.registers[$0]
    }
    shadow.registers.withLock { $0 = registers }
    return Self(shadow: shadow, registers: registers)
  }

  /// The counterpart of `boot`.
  public func shutDown() {
    shadow.registers.withLock { $0 = nil }
    registers.releaseCopy()
    base.shutDown()
  }

  /// Basic 10.
  public var pageSizes: PageSizes { base.pageSizes }

  /// The driver's.
  public var userEnd: VirtualAddress { base.userEnd }

  /// Basic 11.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database {
    let database = try base.makeDatabase(context)
    return Shadowed(
      database, model: ModelDatabase(beside: context, kernel: shadow.kernelModel), shadow: shadow)
  }

  /// Basic 12.
  public func destroy(_ database: Database) throws(ServiceError) { try base.destroy(database.base) }

  /// Basic 13.
  public func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database {
    let returned = try base.switchTo(database.base, on: cpu)
    let previous = try registers.database(on: cpu)
    if returned.context.spaceID != previous.context.spaceID {
      log.report(
        expected: "CPU \(cpu) ran on space \(previous.context.spaceID.raw)",
        got: "space \(returned.context.spaceID.raw)")
    }
    registers.repeatLoad(database, root: base.registers[cpu], on: cpu)
    return previous
  }

  /// Basic 14.
  public func current(on cpu: Int) throws(ServiceError) -> Database {
    let returned = try base.current(on: cpu)
    let current = try registers.database(on: cpu)
    if returned.context.spaceID != current.context.spaceID {
      log.report(
        expected: "CPU \(cpu) runs on space \(current.context.spaceID.raw)",
        got: "space \(returned.context.spaceID.raw)")
    }
    return current
  }

  /// Basic 15.
  public var kernelDatabase: Database { shadow.kernelDatabase }
}

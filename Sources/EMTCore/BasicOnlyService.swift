// SPDX-License-Identifier: MIT
public import SimMemory

/// The service of a driver whose customizations are hidden.
public struct BasicOnlyService<Base: TranslationDatabase>: TranslationService {
  /// The driver in disguise.
  public typealias Database = BasicOnly<Base>
  /// What the driver's walker starts from.
  public typealias Root = Base.Service.Root

  /// The driver's service.
  public let base: Base.Service

  /// The driver's registers.
  public var registers: ControlRegisters<Database> { base.registers.viewed(through: Database.self) }

  /// Basic 9.
  public static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self {
    Self(base: try Base.Service.boot(platform, options: options))
  }

  /// The counterpart of `boot`.
  public func shutDown() { base.shutDown() }

  /// Basic 10.
  public var pageSizes: PageSizes { base.pageSizes }

  /// The driver's.
  public var userEnd: VirtualAddress { base.userEnd }

  /// Basic 11.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database {
    BasicOnly(try base.makeDatabase(context))
  }

  /// Basic 12.
  public func destroy(_ database: Database) throws(ServiceError) { try base.destroy(database.base) }

  /// Basic 13.
  public func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database {
    BasicOnly(try base.switchTo(database.base, on: cpu))
  }

  /// Basic 14.
  public func current(on cpu: Int) throws(ServiceError) -> Database {
    BasicOnly(try base.current(on: cpu))
  }

  /// Basic 15.
  public var kernelDatabase: Database { BasicOnly(base.kernelDatabase) }
}

// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

/// The service of the naive reference.
public struct ModelService<Object: TranslationObject>: TranslationService {
  /// The model.
  public typealias Database = ModelDatabase<Object>
  /// No hardware reads a model; the registers hold the address space's tag.
  public typealias Root = UInt16

  /// Which database each CPU runs on.
  public let registers: ControlRegisters<Database>
  /// Basic 10.
  public let pageSizes: PageSizes
  /// Basic 15.
  public let kernelDatabase: Database

  /// Basic 9: 4 KiB, 2 MiB and 1 GiB, no options.
  public static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self {
    try options.requireNone()
    let sizes = PageSizes(.base, .twoMiB, .oneGiB)
    let context = DatabaseContext(platform: platform, spaceID: .kernel, pageSizes: sizes)
    let kernel = ModelDatabase<Object>(beside: context, kernel: nil)
    return Self(
      registers: ControlRegisters(count: platform.cpuCount, database: kernel, root: 0), pageSizes: sizes,
      kernelDatabase: kernel)
  }

  /// The counterpart of `boot`.
  public func shutDown() {
    registers.release()
    kernelDatabase.context.destroy()
  }

  /// Basic 11.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database {
    ModelDatabase(beside: context, kernel: kernelDatabase)
  }

  /// Basic 12.
  public func destroy(_ database: Database) throws(ServiceError) {
    let running = database.context.runningOn
    guard running == 0 else { throw .inUse(cpus: running) }
    database.release()
  }

  /// Basic 13.
  public func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database {
    try registers.load(database, root: database.context.spaceID.raw, on: cpu)
  }

  /// Basic 14.
  public func current(on cpu: Int) throws(ServiceError) -> Database { try registers.database(on: cpu) }
}

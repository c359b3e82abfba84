// SPDX-License-Identifier: MIT
public import SimMemory

/// The translation hardware of a machine, seen from the operating system: makes, switches and destroys databases, and
/// owns the kernel's own address space. EMT paper §4.1, `tsvc`. A small copyable handle.
public protocol TranslationService: Sendable, SendableMetatype {
  /// The driver's database.
  associatedtype Database: TranslationDatabase where Database.Service == Self
  /// What software writes into the control registers and a walker starts from.
  associatedtype Root: Sendable, BitwiseCopyable

  /// The control registers of all CPUs, for the machine to read.
  var registers: ControlRegisters<Database> { get }

  /// Basic 9: builds the kernel's address space and makes every CPU run on it.
  /// - Throws: `.outOfMemory`, or `.badOption` for options that the driver does not have.
  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> Self

  /// Gives back the kernel's address space; all other databases are destroyed. The counterpart of `boot`.
  func shutDown()

  /// Basic 10: the page sizes that databases of this service hold.
  var pageSizes: PageSizes { get }

  /// Behind the last address that user databases hold, less a page that stays free. The default is x86-64's 2^47.
  var userEnd: VirtualAddress { get }

  /// Basic 11: a new, empty user address space that keeps its neutral state in `context`.
  func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database

  /// Basic 12: releases the database's tables. The caller destroys the context.
  /// - Throws: `.inUse` while a CPU runs on it.
  func destroy(_ database: Database) throws(ServiceError)

  /// Basic 13: makes `cpu` run on `database`, in one step for the walker (`tsvc_switch_tdb`).
  /// - Returns: the database that the CPU ran on before.
  func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database

  /// Basic 14: the database that `cpu` runs on (`tsvc_read_tdb`).
  func current(on cpu: Int) throws(ServiceError) -> Database

  /// Basic 15: the kernel's own address space, visible through every database at once.
  var kernelDatabase: Database { get }
}

extension TranslationService {
  /// 2^47 less a page.
  public var userEnd: VirtualAddress { VirtualAddress(1 &<< 47 &- PageSize.base.bytes) }
}

/// Options of a driver as words, `name=value`, as the command line gives them.
public struct DriverOptions: Sendable, Equatable {
  /// Values by name.
  public var values: [String: String]
  /// Options; none by default.
  public init(_ values: [String: String] = [:]) { self.values = values }

  /// For drivers without options: any option is an error.
  public func requireNone() throws(ServiceError) {
    guard let name = values.keys.min() else { return }
    throw .badOption(name: name, reason: "this driver has no options")
  }
}

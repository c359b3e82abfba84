// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// The service of a cluster table: a root names two blocks, one of the running process and one of the kernel.
public protocol ClusterService: TranslationService where Database: ClusterTable {
  /// What hardware starts from on `database`.
  func root(of database: Database) -> Root
}

extension ClusterService {
  /// 4 KiB, 2 MiB and 1 GiB.
  @inlinable public static var sizes: PageSizes { PageSizes(.base, .twoMiB, .oneGiB) }

  /// Basic 10. 4 KiB, 2 MiB and 1 GiB.
  @inlinable public var pageSizes: PageSizes { Self.sizes }

  /// Gives the kernel's tables back.
  @inlinable public func shutDown() {
    registers.release()
    kernelDatabase.release()
    kernelDatabase.context.destroy()
  }

  /// Basic 12. Refused while a CPU runs on it.
  @inlinable public func destroy(_ database: Database) throws(ServiceError) {
    guard database.context.runningOn == 0 else { throw .inUse(cpus: database.context.runningOn) }
    database.release()
  }

  /// Basic 13. On the kernel's own database no user address is mapped: no cluster of it has a user's number.
  @inlinable public func switchTo(_ database: Database, on cpu: Int) throws(ServiceError) -> Database {
    try registers.load(database, root: root(of: database), on: cpu)
  }

  /// Basic 14.
  @inlinable public func current(on cpu: Int) throws(ServiceError) -> Database {
    try registers.database(on: cpu)
  }
}

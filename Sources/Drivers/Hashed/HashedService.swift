// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
internal import SimMemory

/// The hashed-table hardware of a machine: two descriptors in the root register, one of the running process and one
/// of the kernel.
@frozen public struct HashedService: TranslationService {
  /// The driver's database.
  public typealias Database = HashedDatabase
  /// The two descriptors.
  public typealias Root = HashedRoot

  /// The root registers of all CPUs.
  public let registers: ControlRegisters<HashedDatabase>
  /// Basic 15. Upper half of the address space; a change is visible through every root at once.
  public let kernelDatabase: HashedDatabase

  /// Basic 9. Takes one frame.
  public static func boot(
    _ platform: Platform, options: DriverOptions
  ) throws(ServiceError) -> HashedService {
    try options.requireNone()
    let context = DatabaseContext(platform: platform, spaceID: .kernel, pageSizes: sizes)
    guard let kernel = HashedDatabase(context, isKernel: true) else {
      context.destroy()
      throw .outOfMemory
    }
    let root = HashedRoot(user: kernel.descriptor, kernel: kernel.descriptor, spaceID: 0)
    let registers = ControlRegisters(count: platform.cpuCount, database: kernel, root: root)
    return HashedService(registers: registers, kernelDatabase: kernel)
  }

  /// Gives the kernel's tables back.
  public func shutDown() {
    registers.release()
    kernelDatabase.release()
    kernelDatabase.context.destroy()
  }

  private static var sizes: PageSizes { PageSizes(.base, .twoMiB, .oneGiB) }

  /// Basic 10. 4 KiB, 2 MiB and 1 GiB.
  public var pageSizes: PageSizes { HashedService.sizes }

  /// Basic 11. Takes one frame.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> HashedDatabase {
    guard let database = HashedDatabase(context, isKernel: false) else { throw .outOfMemory }
    return database
  }

  /// Basic 12. Refused while a CPU runs on it.
  public func destroy(_ database: HashedDatabase) throws(ServiceError) {
    guard database.context.runningOn == 0 else { throw .inUse(cpus: database.context.runningOn) }
    database.release()
  }

  /// Basic 13. On the kernel's own database no user address is mapped: no cluster of it has a user's number.
  public func switchTo(_ database: HashedDatabase, on cpu: Int) throws(ServiceError) -> HashedDatabase {
    let root = HashedRoot(
      user: database.descriptor, kernel: kernelDatabase.descriptor, spaceID: database.context.spaceID.raw)
    return try registers.load(database, root: root, on: cpu)
  }

  /// Basic 14.
  public func current(on cpu: Int) throws(ServiceError) -> HashedDatabase { try registers.database(on: cpu) }
}

// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
internal import SimMemory

/// The hashed-table hardware of a machine: two descriptors in the root register, one of the running process and one
/// of the kernel.
@frozen public struct HashedService: ClusterService {
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
    let root = HashedRoot(user: kernel.block, kernel: kernel.block, spaceID: 0)
    let registers = ControlRegisters(count: platform.cpuCount, database: kernel, root: root)
    return HashedService(registers: registers, kernelDatabase: kernel)
  }

  /// Basic 11. Takes one frame.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> HashedDatabase {
    guard let database = HashedDatabase(context, isKernel: false) else { throw .outOfMemory }
    return database
  }

  /// What hardware starts from on `database`: the user's and the kernel's descriptor.
  public func root(of database: HashedDatabase) -> HashedRoot {
    HashedRoot(user: database.block, kernel: kernelDatabase.block, spaceID: database.context.spaceID.raw)
  }
}

// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
internal import SimMemory

/// The elastic-cuckoo hardware of a machine: two register sets, one of the running process and one of the kernel.
@frozen public struct ECPTService: ClusterService {
  /// The driver's database.
  public typealias Database = ECPTDatabase
  /// The two register images.
  public typealias Root = ECPTRoot

  /// The root registers of all CPUs.
  public let registers: ControlRegisters<ECPTDatabase>
  /// Basic 15. Upper half of the address space; a change is visible through every root at once.
  public let kernelDatabase: ECPTDatabase

  /// Basic 9. Takes the kernel's block.
  public static func boot(
    _ platform: Platform, options: DriverOptions
  ) throws(ServiceError) -> ECPTService {
    let policy = try ECPTPolicy(options)
    let context = DatabaseContext(platform: platform, spaceID: .kernel, pageSizes: sizes)
    guard let kernel = ECPTDatabase(context, policy, isKernel: true) else {
      context.destroy()
      throw .outOfMemory
    }
    let root = ECPTRoot(
      user: kernel.block, kernel: kernel.block, spaceID: 0, isIsolated: policy.isIsolated)
    let registers = ControlRegisters(count: platform.cpuCount, database: kernel, root: root)
    return ECPTService(registers: registers, kernelDatabase: kernel)
  }

  /// Basic 11. Takes a block of two frames, and with `start` the first ways.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> ECPTDatabase {
    guard let database = ECPTDatabase(context, kernelDatabase.policy, isKernel: false) else {
      throw .outOfMemory
    }
    return database
  }

  /// What hardware starts from on `database`: the user's and the kernel's registers as one set.
  ///
  /// On the kernel's own database no user address is mapped: no cluster of it has a user's number.
  public func root(of database: ECPTDatabase) -> ECPTRoot {
    ECPTRoot(
      user: database.block, kernel: kernelDatabase.block, spaceID: database.context.spaceID.raw,
      isIsolated: kernelDatabase.policy.isIsolated)
  }
}

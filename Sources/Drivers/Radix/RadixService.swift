// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
internal import SimMemory

/// The four-level paging hardware of a machine, as the operating system sees it: one root register per CPU.
@frozen public struct RadixService: TranslationService {
  /// Four-level page tables.
  public typealias Database = RadixDatabase
  /// CR3.
  public typealias Root = RadixRoot

  /// The root registers of all CPUs.
  public let registers: ControlRegisters<RadixDatabase>
  /// Basic 15: the upper half of every address space.
  public let kernelDatabase: RadixDatabase
  /// Basic 10: 4 KiB, 2 MiB and 1 GiB.
  public var pageSizes: PageSizes { kernelDatabase.context.pageSizes }

  /// Basic 9: makes the kernel's root and the 256 nodes that all roots share.
  public static func boot(
    _ platform: Platform, options: DriverOptions
  ) throws(ServiceError) -> RadixService {
    try options.requireNone()
    let context = DatabaseContext(
      platform: platform, spaceID: .kernel, pageSizes: PageSizes(.base, .twoMiB, .oneGiB))
    guard let root = RadixDatabase.makeNode(context) else {
      context.destroy()
      throw .outOfMemory
    }
    let kernel = RadixDatabase(context, root: root.address, isKernel: true)
    platform.frames.table.setWord(1, root)
    for index in sharedEntries {
      guard let node = kernel.makeNode() else {
        kernel.release()
        context.destroy()
        throw .outOfMemory
      }
      platform.memory.storeRelease(RadixDatabase.pointer(to: node), at: root.address.advanced(by: index << 3))
    }
    return RadixService(
      registers: ControlRegisters(count: platform.cpuCount, database: kernel, root: kernel.registers),
      kernelDatabase: kernel)
  }

  /// Gives the kernel's nodes back.
  public func shutDown() {
    registers.release()
    kernelDatabase.release()
    kernelDatabase.context.destroy()
  }

  /// Basic 11: one node, whose upper half is the kernel's.
  public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> RadixDatabase {
    guard let root = RadixDatabase.makeNode(context) else { throw .outOfMemory }
    context.platform.frames.table.setWord(1, root)
    let memory = context.platform.memory
    for index in RadixService.sharedEntries {
      let entry = memory.loadRelaxed(kernelDatabase.root.advanced(by: index << 3))
      memory.storeRelaxed(entry, at: root.address.advanced(by: index << 3))
    }
    return RadixDatabase(context, root: root.address, isKernel: false)
  }

  /// Basic 12.
  public func destroy(_ database: RadixDatabase) throws(ServiceError) {
    let cpus = database.context.runningOn
    guard cpus == 0 else { throw .inUse(cpus: cpus) }
    database.release()
  }

  /// Basic 13.
  public func switchTo(_ database: RadixDatabase, on cpu: Int) throws(ServiceError) -> RadixDatabase {
    try registers.load(database, root: database.registers, on: cpu)
  }

  /// Basic 14.
  public func current(on cpu: Int) throws(ServiceError) -> RadixDatabase {
    try registers.database(on: cpu)
  }

  /// The entries of a root that are the kernel's.
  private static var sharedEntries: Range<UInt64> { 256..<512 }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory

/// The paging hardware of a machine for trees of one shape, as the operating system sees it: the root registers of all
/// CPUs.
///
/// With one root register, all roots point at the 256 nodes below the upper half of the kernel's. With a register for
/// each half, the upper one always holds the kernel's root.
@frozen public struct RadixTreeService<Shape: RadixShape>: TranslationService {
  /// Page tables of the shape.
  public typealias Database = RadixTree<Shape>
  /// CR3, or one register for each half.
  public typealias Root = RadixTreeRoot<Shape>

  /// The root registers of all CPUs.
  public let registers: ControlRegisters<RadixTree<Shape>>
  /// Basic 15: the upper half of every address space.
  public let kernelDatabase: RadixTree<Shape>
  /// Basic 10: every size that an entry at a leaf level spans.
  @inlinable public var pageSizes: PageSizes { kernelDatabase.context.pageSizes }

  /// One half of what the shape translates.
  @inlinable public var userEnd: VirtualAddress {
    VirtualAddress(1 &<< (Shape.addressBits &- 1) &- PageSize.base.bytes)
  }

  @inlinable init(_ kernel: RadixTree<Shape>) {
    kernelDatabase = kernel
    registers = ControlRegisters(
      count: kernel.context.platform.cpuCount, database: kernel,
      root: RadixTreeRoot(table: kernel.root, spaceID: kernel.context.spaceID.raw))
  }

  /// Basic 9: makes the kernel's root and the nodes that all roots share.
  @inlinable public static func boot(
    _ platform: Platform, options: DriverOptions
  ) throws(ServiceError) -> RadixTreeService {
    try options.requireNone()
    let sizes = Shape.highestLeafLevel > 1 ? PageSizes(.twoMiB, .oneGiB) : PageSizes(.twoMiB)
    let context = DatabaseContext(platform: platform, spaceID: .kernel, pageSizes: sizes)
    guard let kernel = RadixTree<Shape>(context, isKernel: true) else {
      context.destroy()
      throw .outOfMemory
    }
    for index in sharedEntries {
      guard let node = kernel.makeNode(at: Shape.rootLevel &- 1) else {
        kernel.release()
        context.destroy()
        throw .outOfMemory
      }
      platform.memory.storeRelease(node.pointer, at: kernel.root.advanced(by: index &<< 3))
      platform.frames.table.addToWord(1, kernel.root.frame)
    }
    return RadixTreeService(kernel)
  }

  /// Gives the kernel's nodes back.
  @inlinable public func shutDown() {
    registers.release()
    kernelDatabase.release()
    kernelDatabase.context.destroy()
  }

  /// Basic 11: one node, whose upper half is the kernel's where the root is shared.
  @inlinable public func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> RadixTree<Shape> {
    guard let database = RadixTree<Shape>(context, isKernel: false) else { throw .outOfMemory }
    let memory = context.platform.memory
    for index in RadixTreeService.sharedEntries where !Mutation.kernelHalfNotShared.isPlanted {
      let entry = memory.loadRelaxed(kernelDatabase.root.advanced(by: index &<< 3))
      memory.storeRelaxed(entry, at: database.root.advanced(by: index &<< 3))
    }
    return database
  }

  /// Basic 12.
  @inlinable public func destroy(_ database: RadixTree<Shape>) throws(ServiceError) {
    let cpus = database.context.runningOn
    guard cpus == 0 else { throw .inUse(cpus: cpus) }
    database.release()
  }

  /// Basic 13.
  @inlinable
  public func switchTo(_ database: RadixTree<Shape>, on cpu: Int) throws(ServiceError) -> RadixTree<Shape> {
    let root = RadixTreeRoot<Shape>(
      table: database.root, kernelTable: Shape.hasKernelRoot ? kernelDatabase.root : nil,
      spaceID: database.context.spaceID.raw)
    return try registers.load(database, root: root, on: cpu)
  }

  /// Basic 14.
  @inlinable public func current(on cpu: Int) throws(ServiceError) -> RadixTree<Shape> {
    try registers.database(on: cpu)
  }

  /// The entries of a root that are the kernel's and stand in every other root too.
  @inlinable static var sharedEntries: Range<UInt64> { Shape.hasKernelRoot ? 0..<0 : 256..<512 }
}

/// Four-level paging.
public typealias RadixService = RadixTreeService<RadixFormat>

/// Five-level paging.
public typealias Radix5Service = RadixTreeService<Radix5Format>

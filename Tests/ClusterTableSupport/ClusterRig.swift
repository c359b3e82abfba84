// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import MMU
public import SimMemory
public import X86Object

/// A machine with one process on cluster tables, and the hardware that walks them.
public final class ClusterRig<Service: ClusterService, Walker: PageWalker>: Sendable
where Walker.Root == Service.Root {
  /// The driver's database.
  public typealias Database = Service.Database
  /// Memory and CPUs.
  public let machine: SimulatedPlatform
  /// The booted service.
  public let service: Service
  /// The process.
  public let database: Database
  /// The hardware of one CPU.
  public let walker: Walker

  /// Boots a machine with one process.
  public init(bytes: UInt64 = 1 << 30, cpus: Int = 1, options: [String: String] = [:]) throws {
    machine = try SimulatedPlatform(MemoryGeometry(bytes: bytes), cpus: cpus)
    service = try Service.boot(machine.platform, options: DriverOptions(options))
    database = try service.makeDatabase(ClusterRig.context(machine.platform, service))
    walker = Walker(memory: machine.platform.memory, configuration: Walker.standardConfiguration)
  }

  /// The neutral state of a process.
  public static func context(_ platform: Platform, _ service: Service, id: UInt16 = 1) -> DatabaseContext {
    DatabaseContext(platform: platform, spaceID: AddressSpaceID(id), pageSizes: service.pageSizes)
  }

  /// Frames that nobody has.
  public var freeFrames: UInt64 { machine.platform.frames.freeFrames }
  /// What hardware walks for the process.
  public var root: Service.Root { service.root(of: database) }

  /// A second process.
  public func another(id: UInt16 = 2) throws -> Database {
    try service.makeDatabase(ClusterRig.context(machine.platform, service, id: id))
  }

  /// The database as CPU `id` uses it.
  public func handle(cpu id: Int) -> Database {
    var database = database
    database.context.cpu = database.context.platform.cpu(id)
    return database
  }

  /// A present, writable user page at page number `page` over frame `frame`.
  public static func page(_ page: UInt64, _ frame: UInt64, _ size: PageSize = .base) -> X86Object {
    var object = X86Object(unmappedAt: VirtualAddress(page << UInt64(size.shift)), size: size)
    object.isPresent = true
    object.isWritable = true
    object.isUser = true
    object.physicalAddress = PhysicalAddress(frame << UInt64(size.shift))
    return object
  }

  /// Inserts or replaces a page of the process, and flushes.
  public func insert(_ object: X86Object) throws(TranslationError) {
    database.settle(try database.update(object).takeObligation())
  }

  /// Removes a page of the process, and flushes.
  public func remove(_ object: X86Object) throws(TranslationError) {
    database.settle(try database.remove(object).takeObligation())
  }

  /// The frame that the hardware finds for page number `page`, without leaving a trace.
  public func frame(_ page: UInt64) -> UInt64? {
    let address = VirtualAddress(page << 12)
    let result = walker.probe(root, address, .load, isUser: true)
    return result.translation.map { $0.physical(address).raw >> 12 }
  }

  /// Gives everything back.
  public func end() throws {
    try service.destroy(database)
    database.context.destroy()
    service.shutDown()
    walker.release()
  }
}

// SPDX-License-Identifier: MIT
import ClusterTable
import ECPT
import EMTCore
import EntryFormats
import MMU
import SimMemory
import X86Object

/// A machine with one process on cuckoo tables, and the hardware that walks them.
final class Rig: Sendable {
  let machine: SimulatedPlatform
  let service: ECPTService
  let database: ECPTDatabase
  let walker: ECPTWalker

  init(bytes: UInt64 = 1 << 30, cpus: Int = 1, options: [String: String] = [:]) throws {
    machine = try SimulatedPlatform(MemoryGeometry(bytes: bytes), cpus: cpus)
    service = try ECPTService.boot(machine.platform, options: DriverOptions(options))
    database = try service.makeDatabase(Rig.context(machine.platform, service))
    walker = ECPTWalker(memory: machine.platform.memory)
  }

  static func context(_ platform: Platform, _ service: ECPTService, id: UInt16 = 1) -> DatabaseContext {
    DatabaseContext(platform: platform, spaceID: AddressSpaceID(id), pageSizes: service.pageSizes)
  }

  var freeFrames: UInt64 { machine.platform.frames.freeFrames }

  var root: ECPTRoot { service.root(of: database) }

  /// A second process.
  func another(id: UInt16 = 2) throws -> ECPTDatabase {
    try service.makeDatabase(Rig.context(machine.platform, service, id: id))
  }

  /// A present, writable user page at page number `page` over frame `frame`.
  static func page(_ page: UInt64, _ frame: UInt64, _ size: PageSize = .base) -> X86Object {
    var object = X86Object(unmappedAt: VirtualAddress(page << UInt64(size.shift)), size: size)
    object.isPresent = true
    object.isWritable = true
    object.isUser = true
    object.physicalAddress = PhysicalAddress(frame << UInt64(size.shift))
    return object
  }

  func insert(_ object: X86Object) throws(TranslationError) {
    database.settle(try database.update(object).takeObligation())
  }

  func remove(_ object: X86Object) throws(TranslationError) {
    database.settle(try database.remove(object).takeObligation())
  }

  /// The frame that the hardware finds for page number `page`, without leaving a trace.
  func frame(_ page: UInt64) -> UInt64? {
    let address = VirtualAddress(page << 12)
    let result = walker.probe(root, address, .load, isUser: true)
    return result.translation.map { $0.physical(address).raw >> 12 }
  }

  /// Gives everything back.
  func end() throws {
    walker.release()
    try service.destroy(database)
    database.context.destroy()
    service.shutDown()
  }
}

/// A small generator of pseudo-random numbers (Marsaglia's xorshift64*).
struct Random: RandomNumberGenerator {
  var state: UInt64
  init(_ seed: UInt64) { state = seed | 1 }
  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

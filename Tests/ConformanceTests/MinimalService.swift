// SPDX-License-Identifier: MIT
import EMTCore
import EntryFormats
import SimMemory
import X86Object

/// The service of the minimal driver. The kernel's 256 second-level tables exist from the start, so that every root
/// can share them.
struct MinimalService: TranslationService {
  typealias Database = MinimalDatabase
  typealias Root = RadixRoot

  let registers: ControlRegisters<MinimalDatabase>
  let kernelDatabase: MinimalDatabase

  var pageSizes: PageSizes { kernelDatabase.context.pageSizes }

  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> MinimalService {
    try options.requireNone()
    var didClear = false
    let context = DatabaseContext(
      platform: platform, spaceID: .kernel, pageSizes: PageSizes(.base, .twoMiB, .oneGiB))
    let tables = (0...256).compactMap { _ in context.platform.frames.allocateZeroed(didClear: &didClear) }
    guard tables.count == 257 else {
      for table in tables { context.platform.frames.free(table) }
      context.destroy()
      throw .outOfMemory
    }
    let (kernel, root) = (MinimalDatabase(context: context, root: tables[0]), tables[0])
    for slot in 256..<512 {
      let entry = tables[slot - 255].address.raw | X86Entry.present | X86Entry.writable
      platform.memory.storeRelease(entry, at: root.address.advanced(by: UInt64(slot) * 8))
    }
    let registers = ControlRegisters(
      count: platform.cpuCount, database: kernel, root: RadixRoot(table: root.address, spaceID: 0))
    return MinimalService(registers: registers, kernelDatabase: kernel)
  }

  func shutDown() {
    registers.release()
    kernelDatabase.release()
    kernelDatabase.context.destroy()
  }

  func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> MinimalDatabase {
    var didClear = false
    let platform = context.platform
    guard let root = platform.frames.allocateZeroed(didClear: &didClear) else { throw .outOfMemory }
    let shared = kernelDatabase.root.address.advanced(by: 2048)
    platform.memory.copy(from: shared, to: root.address.advanced(by: 2048), bytes: 2048)
    return MinimalDatabase(context: context, root: root)
  }

  func destroy(_ database: MinimalDatabase) throws(ServiceError) {
    guard database.context.runningOn == 0 else { throw .inUse(cpus: database.context.runningOn) }
    database.release()
  }

  func switchTo(_ database: MinimalDatabase, on cpu: Int) throws(ServiceError) -> MinimalDatabase {
    let root = RadixRoot(table: database.root.address, spaceID: database.context.spaceID.raw)
    return try registers.load(database, root: root, on: cpu)
  }

  func current(on cpu: Int) throws(ServiceError) -> MinimalDatabase { try registers.database(on: cpu) }
}

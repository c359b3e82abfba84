// SPDX-License-Identifier: MIT
import Conformance
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

  static var sizes: PageSizes { PageSizes(.base, .twoMiB, .oneGiB) }
  var pageSizes: PageSizes { MinimalService.sizes }

  static func boot(_ platform: Platform, options: DriverOptions) throws(ServiceError) -> MinimalService {
    try options.requireNone()
    var didClear = false
    guard let root = platform.frames.allocateZeroed(didClear: &didClear) else { throw .outOfMemory }
    let context = DatabaseContext(platform: platform, spaceID: .kernel, pageSizes: sizes)
    let kernel = MinimalDatabase(context: context, root: root)
    for slot: UInt64 in 256..<512 {
      guard let table = platform.frames.allocateZeroed(didClear: &didClear) else {
        kernel.release()
        context.destroy()
        throw .outOfMemory
      }
      let entry = table.address.raw | X86Entry.present | X86Entry.writable
      platform.memory.storeRelease(entry, at: root.address.advanced(by: slot * 8))
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
    for slot: UInt64 in 256..<512 {
      let shared = platform.memory.loadAcquire(kernelDatabase.root.address.advanced(by: slot * 8))
      platform.memory.storeRelease(shared, at: root.address.advanced(by: slot * 8))
    }
    return MinimalDatabase(context: context, root: root)
  }

  func destroy(_ database: MinimalDatabase) throws(ServiceError) {
    let running = database.context.runningOn
    guard running == 0 else { throw .inUse(cpus: running) }
    database.release()
  }

  func switchTo(_ database: MinimalDatabase, on cpu: Int) throws(ServiceError) -> MinimalDatabase {
    let root = RadixRoot(table: database.root.address, spaceID: database.context.spaceID.raw)
    return try registers.load(database, root: root, on: cpu)
  }

  func current(on cpu: Int) throws(ServiceError) -> MinimalDatabase { try registers.database(on: cpu) }
}

/// What an x86-64 walk sees, in code of its own: shifts and masks from the manual.
@Sendable func walk(_ memory: PhysicalMemory, _ root: RadixRoot, _ address: VirtualAddress) -> HardwareView? {
  var table = root.table.raw
  var isWritable = true
  for shift: UInt64 in [39, 30, 21, 12] {
    let entry = memory.loadAcquire(PhysicalAddress(table + (address.raw >> shift & 511) * 8))
    guard entry & 1 == 1 else { return nil }
    isWritable = isWritable && entry & 2 != 0
    table = entry & 0x000F_FFFF_FFFF_F000
    if shift == 12 || shift < 39 && entry & 0x80 != 0 {
      let size = PageSize(shift: UInt8(shift))
      return HardwareView(
        physicalAddress: PhysicalAddress(table & ~size.mask), size: size, isWritable: isWritable)
    }
  }
  return nil
}

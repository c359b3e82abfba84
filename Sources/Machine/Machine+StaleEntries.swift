// SPDX-License-Identifier: MIT
internal import EMTCore
internal import MMU
internal import SimMemory
internal import VMM

extension Machine {
  /// A TLB entry, on any CPU, that its address space does not back any more.
  ///
  /// Left out is what no access can use: entries of spaces that the CPU will forget before it comes back to them, and of
  /// kernel mappings whose addresses and frames are reserved until their flush.
  /// - Returns: the first one in words; nil when TLBs and tables agree.
  /// - Complexity: linear in all TLB entries.
  public func staleEntry() -> String? {
    deliverInvalidations()
    let spaces = kernel.spaces
    for (cpu, unit) in units.enumerated() {
      for entry in unit.mmu.cachedEntries {
        var database: Service.Database
        if entry.range.start >= KernelLayout.start {
          if kernel.kernelMemory.area(at: entry.range.start)?.isFreed == true { continue }
          database = kernel.service.kernelDatabase
        } else {
          guard let space = spaces.first(where: { $0.number == entry.spaceID }) else { continue }
          if space.database.context.hasMissedFlush(cpu) { continue }
          database = space.database
        }
        database.context.cpu = platform.platform.observer
        let object = database.find(entry.range.start)
        if !isBacked(entry, by: object) {
          return "CPU \(cpu): \(entry.tlb) TLB holds \(entry.range) although it is \(describe(object)) now"
        }
      }
    }
    return nil
  }

  private func isBacked(_ entry: TLBEntry, by object: Service.Database.Object) -> Bool {
    guard object.isPresent, object.isReadable else { return false }
    let offset = entry.range.start.offset(in: object.size)
    let translation = entry.translation
    return object.physicalAddress.advanced(by: offset) == translation.page
      && (object.isWritable || !translation.isWritable)
      && (object.isExecutable || !translation.isExecutable) && (object.isUser || !translation.isUser)
  }

  private func describe(_ object: Service.Database.Object) -> String {
    guard object.isMapped else { return "void of \(object.size)" }
    guard object.isPresent else { return "mapped, not present" }
    let rights =
      (object.isReadable ? "r" : "-") + (object.isWritable ? "w" : "-") + (object.isExecutable ? "x" : "-")
    return "\(object.size) at \(object.physicalAddress) \(rights)"
  }
}

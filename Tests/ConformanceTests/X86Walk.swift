// SPDX-License-Identifier: MIT
import Conformance
import EntryFormats
import SimMemory

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

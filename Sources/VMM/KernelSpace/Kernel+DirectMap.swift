// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// A map of all physical memory, one behind the other.
extension Kernel {
  /// Maps all of physical memory at `KernelLayout.directMap`: with the largest pages that the driver offers, and smaller
  /// ones at the end. Not part of booting, because it takes memory for tables; call it once, before the first process.
  /// - Throws: `.enomem`: nothing is mapped then. `.eexist` when there is one.
  /// - Complexity: linear in the pages, which are mostly the largest ones.
  @inlinable public func mapAllMemory() throws(Errno) {
    guard kernelMemory.directMap.isEmpty else { throw .eexist }
    let mark = meter.enter(.other)
    defer { meter.leave(mark) }
    let range = VirtualRange(KernelLayout.directMap, bytes: platform.memory.frameCount << 12)
    let protection = Protection(readable: true, writable: true, executable: false)
    var isDone = true
    withKernelLock(range) {
      let phase = meter.enter(.rangeOperation)
      var frame = FrameNumber(0)
      for size in service.pageSizes.all.reversed() {
        let count = (platform.memory.frameCount &- frame.raw) / size.basePages
        guard count > 0, isDone else { continue }
        let start = range.start.advanced(by: frame.raw << 12)
        let database = service.kernelDatabase
        do throws(TranslationError) {
          let page = kernelPage(database, start, KernelPiece(frame, size), protection)
          try insertRun(database, page, count)
        } catch { isDone = false }
        frame = frame.advanced(by: count &* size.basePages)
      }
      if !isDone { clear(range) }
      meter.leave(phase)
    }
    guard isDone else { throw .enomem }
    noteDirectMap(range)
  }

  /// Where the kernel sees physical memory; nil without a map of it, and beyond its end.
  public func directAddress(of address: PhysicalAddress) -> VirtualAddress? {
    let range = kernelMemory.directMap
    return address.raw < range.bytes ? range.start.advanced(by: address.raw) : nil
  }

  @usableFromInline func noteDirectMap(_ range: VirtualRange) { kernelMemory.directMap = range }
}

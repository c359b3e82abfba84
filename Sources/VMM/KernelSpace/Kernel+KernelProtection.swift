// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Rights of the kernel's own pages (Linux: set_memory_ro, _rw, _x, _nx, _np).
extension Kernel {
  /// Gives mapped kernel pages other rights, on all CPUs. Huge pages that reach over an edge of `range` are split first,
  /// and stay so; the rest of them keeps its rights.
  /// - Throws: `.einval` for a range that is empty or not made of pages, `.efault` when part of it is not mapped,
  ///   `.enomem` when a split finds no memory: no right has changed then.
  @inlinable
  public func setKernelProtection(of range: VirtualRange, to protection: Protection) throws(Errno) {
    guard !range.isEmpty, range.start.isAligned(to: .base), range.end.isAligned(to: .base) else {
      throw .einval
    }
    guard isKernelMapping(range) else { throw .efault }
    let mark = meter.enter(.other)
    defer { meter.leave(mark) }
    let database = service.kernelDatabase
    var failure: Errno?
    withKernelLock(range) {
      let phase = meter.enter(.rangeOperation)
      // Splits and the change are one shootdown.
      database.batch { failure = protect(range, protection) }
      meter.leave(phase)
    }
    if let failure { throw failure }
  }

  @inlinable func protect(_ range: VirtualRange, _ protection: Protection) -> Errno? {
    let database = service.kernelDatabase
    guard splitKernelPage(at: range.start), splitKernelPage(at: range.end) else { return .enomem }
    do { database.settle(try database.setProtection(in: range, to: protection)) } catch {
      preconditionFailure("the rights of kernel pages could not be changed: \(error)")
    }
    return nil
  }

  /// Splits until a page starts at `edge`.
  /// - Returns: false when memory for tables ran out.
  @inlinable func splitKernelPage(at edge: VirtualAddress) -> Bool {
    let database = service.kernelDatabase
    while true {
      let object = database.find(edge)
      guard object.isMapped, object.start < edge else { return true }
      do { try database.split(object) } catch { return false }
    }
  }

  /// Whether all of `range` belongs to the map of memory or to one area.
  @usableFromInline func isKernelMapping(_ range: VirtualRange) -> Bool {
    if kernelMemory.directMap.contains(range) { return true }
    guard let area = kernelMemory.area(at: range.start), !area.isFreed else { return false }
    return area.range.contains(range)
  }
}

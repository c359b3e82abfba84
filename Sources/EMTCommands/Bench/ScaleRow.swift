// SPDX-License-Identifier: MIT
public import EMTCore
internal import Profiling

/// What one driver needed to map every page of a large mapping by faults.
@usableFromInline struct ScaleRow: Codable, Sendable {
  var schema = "emt.scale/1"
  var driver: String
  /// Base pages; as many faults.
  var pages: UInt64
  /// Wall clock of all faults.
  var seconds = 0.0
  var nanosecondsPerFault = 0.0
  /// By the meter with the driver's cost table, without contents of pages.
  var modelledPerFault = 0.0
  /// By callgrind; nil when it was not asked.
  var countedPerFault: Double?
  /// Bytes of the process's tables when all pages were mapped.
  var tableBytes: UInt64 = 0
  var tableBytesPerPage = 0.0
  /// The most while pages were being mapped, looked at every 65,536 pages.
  var peakTableBytes: UInt64 = 0
  /// Host memory of this program at its most (VmHWM): tables, frame records and everything else.
  var peakHostBytes: UInt64 = 0
  /// Host memory of the host's own tables for this program (VmPTE); not part of the figure above.
  var hostPageTableBytes: UInt64 = 0
  /// Whether `peakHostBytes` is of this driver alone; false: also of what ran before.
  @usableFromInline var isOwnPeak = false

  @usableFromInline init(driver: String, pages: UInt64) {
    self.driver = driver
    self.pages = pages
  }

  @usableFromInline mutating func notePeak(_ footprint: TableFootprint) {
    peakTableBytes = max(peakTableBytes, footprint.total)
  }

  @usableFromInline mutating func note(_ footprint: TableFootprint) {
    notePeak(footprint)
    tableBytes = footprint.total
    tableBytesPerPage = Double(tableBytes) / Double(pages)
  }

  @usableFromInline mutating func finish(_ time: Duration, work: KernelWork) {
    seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    nanosecondsPerFault = seconds * 1e9 / Double(pages)
    let costs = CostTable.fitted(for: driver)
    modelledPerFault = Double(costs.instructions(of: work, in: .pageFault)) / Double(pages)
  }

  @usableFromInline mutating func noteHostMemory() {
    peakHostBytes = HostMemory.bytes("VmHWM")
    hostPageTableBytes = HostMemory.bytes("VmPTE")
  }
}

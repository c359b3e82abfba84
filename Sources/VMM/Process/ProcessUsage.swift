// SPDX-License-Identifier: MIT

/// What a process used so far, as far as memory is concerned (Linux: `struct rusage`).
public struct ProcessUsage: Sendable, Equatable {
  /// Faults that were resolved without storage.
  public var minorFaults: UInt64 = 0
  /// Faults whose contents came from storage.
  public var majorFaults: UInt64 = 0
  /// The most base pages in memory at once.
  public var peakResidentPages: UInt64 = 0

  /// Nothing.
  public init() {}

  /// Adds faults; the peak is the larger one.
  mutating func add(_ other: ProcessUsage) {
    minorFaults += other.minorFaults
    majorFaults += other.majorFaults
    peakResidentPages = max(peakResidentPages, other.peakResidentPages)
  }

  /// Adds the faults of an address space since `start`.
  mutating func add(_ faults: FaultCounts, since start: FaultCounts) {
    minorFaults += faults.resolvedInMemory - start.resolvedInMemory
    majorFaults += faults.major - start.major
  }
}

extension FaultCounts {
  /// Resolved without storage, in whatever way.
  var resolvedInMemory: UInt64 { minor + copyOnWrite + huge }
}

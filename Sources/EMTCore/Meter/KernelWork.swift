// SPDX-License-Identifier: MIT

/// Counts of primitive events by operation and phase: a snapshot of a meter.
public struct KernelWork: Sendable, Equatable {
  @usableFromInline static var phaseCount: Int { 6 }
  static var rowCount: Int { KernelOperation.allCases.count * phaseCount }

  private var counts: [UInt64]

  init(counts: [UInt64]) { self.counts = counts }

  /// No work at all.
  public init() { counts = Array(repeating: 0, count: KernelWork.rowCount * KernelEvent.count) }

  /// How often `event` happened in `phase` of `operation`.
  public subscript(operation: KernelOperation, phase: KernelPhase, event: KernelEvent) -> UInt64 {
    let row = Int(operation.rawValue) * KernelWork.phaseCount + Int(phase.rawValue)
    return counts[row * KernelEvent.count + Int(event.rawValue)]
  }

  /// How often `event` happened in `operation`, all phases together.
  public subscript(operation: KernelOperation, event: KernelEvent) -> UInt64 {
    KernelPhase.allCases.reduce(0) { $0 + self[operation, $1, event] }
  }

  /// How often `event` happened at all.
  public subscript(event: KernelEvent) -> UInt64 {
    KernelOperation.allCases.reduce(0) { $0 + self[$1, event] }
  }

  /// The work done between two snapshots of one meter.
  public static func - (later: KernelWork, earlier: KernelWork) -> KernelWork {
    KernelWork(counts: zip(later.counts, earlier.counts).map { $0 - $1 })
  }

  /// The work of two meters together.
  public static func + (a: KernelWork, b: KernelWork) -> KernelWork {
    KernelWork(counts: zip(a.counts, b.counts).map { $0 + $1 })
  }
}

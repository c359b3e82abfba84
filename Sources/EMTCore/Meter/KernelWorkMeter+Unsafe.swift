// SPDX-License-Identifier: MIT

/// Counts primitive events of kernel work by operation and phase. One meter per simulated CPU.
///
/// A handle to a flat table of rows; counting is one add through the pointer to the current row. Only the CPU that
/// owns the meter counts on it, so no atomics are needed.
///
/// SAFETY: the ledger that made the meter outlives it.
@safe @frozen public struct KernelWorkMeter: @unchecked Sendable, BitwiseCopyable {
  @unsafe @usableFromInline struct State {
    @usableFromInline var row: UnsafeMutablePointer<UInt64>
    /// The rows that are counted in now: the meter's own, or those of the CPU that it counts for.
    @usableFromInline var rows: UnsafeMutablePointer<UInt64>
    /// The meter's own rows.
    @usableFromInline let home: UnsafeMutablePointer<UInt64>
    @usableFromInline var operation: KernelOperation
  }
  @usableFromInline let state: UnsafeMutablePointer<State>

  @usableFromInline init(state: UnsafeMutablePointer<State>) { unsafe self.state = unsafe state }

  /// Counts one event, or `times` of them.
  @inlinable @inline(__always) public func count(_ event: KernelEvent, _ times: UInt64 = 1) {
    unsafe state.pointee.row[Int(event.rawValue)] &+= times
  }

  /// Where the meter was before `enter`; give it back to `leave`.
  @safe @frozen public struct Mark: BitwiseCopyable {
    @usableFromInline let row: UnsafeMutablePointer<UInt64>
    @usableFromInline let operation: KernelOperation

    @usableFromInline init(row: UnsafeMutablePointer<UInt64>, operation: KernelOperation) {
      unsafe self.row = unsafe row
      self.operation = operation
    }
  }

  /// Charges what follows to `operation`, in its first phase.
  @inlinable public func enter(_ operation: KernelOperation) -> Mark {
    let mark = unsafe Mark(row: state.pointee.row, operation: state.pointee.operation)
    unsafe state.pointee.operation = operation
    unsafe state.pointee.row = unsafe row(operation, .policy)
    return mark
  }

  /// Charges what follows to `phase` of the current operation.
  @inlinable public func enter(_ phase: KernelPhase) -> Mark {
    let mark = unsafe Mark(row: state.pointee.row, operation: state.pointee.operation)
    unsafe state.pointee.row = unsafe row(state.pointee.operation, phase)
    return mark
  }

  /// Goes back to where `mark` was taken.
  @inlinable public func leave(_ mark: Mark) {
    unsafe state.pointee.row = unsafe mark.row
    unsafe state.pointee.operation = mark.operation
  }

  /// Counts what follows among the counts of `other`, or with the meter itself among its own again. Between operations
  /// only: marks that were taken before lead back to where they were taken.
  public func charge(to other: KernelWorkMeter) {
    let offset = unsafe state.pointee.row - state.pointee.rows
    unsafe state.pointee.rows = unsafe other.state.pointee.home
    unsafe state.pointee.row = unsafe state.pointee.rows + offset
  }

  /// How often `event` happened so far, whatever was being done. Cheaper than a snapshot of everything.
  public func total(_ event: KernelEvent) -> UInt64 {
    (0..<KernelWork.rowCount).reduce(0) {
      unsafe $0 &+ state.pointee.home[$1 &* KernelEvent.count &+ Int(event.rawValue)]
    }
  }

  @inlinable func row(_ operation: KernelOperation, _ phase: KernelPhase) -> UnsafeMutablePointer<UInt64> {
    let index = Int(operation.rawValue) &* KernelWork.phaseCount &+ Int(phase.rawValue)
    return unsafe state.pointee.rows + index &* KernelEvent.count
  }
}

/// Owns the memory of one meter.
@safe public final class KernelWorkLedger: @unchecked Sendable {
  /// The meter to count with.
  public let meter: KernelWorkMeter

  /// A ledger with all counts zero, charging to `.other`.
  public init() {
    let count = KernelWork.rowCount * KernelEvent.count
    let rows = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    unsafe rows.initialize(repeating: 0, count: count)
    let state = UnsafeMutablePointer<KernelWorkMeter.State>.allocate(capacity: 1)
    unsafe state.initialize(to: KernelWorkMeter.State(row: rows, rows: rows, home: rows, operation: .other))
    meter = unsafe KernelWorkMeter(state: state)
    unsafe state.pointee.row = unsafe meter.row(.other, .policy)
  }

  /// The counts so far.
  public var work: KernelWork {
    let rows = unsafe meter.state.pointee.home
    let count = KernelWork.rowCount * KernelEvent.count
    return KernelWork(counts: (0..<count).map { unsafe rows[$0] })
  }

  deinit {
    unsafe meter.state.pointee.home.deallocate()
    unsafe meter.state.deallocate()
  }
}

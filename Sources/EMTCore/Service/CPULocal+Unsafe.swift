// SPDX-License-Identifier: MIT
public import SimMemory

/// What belongs to one simulated CPU: its meter, its mailbox, its open flush batch.
///
/// SAFETY: the platform that made it outlives it; only that CPU changes the batch.
@safe @frozen public struct CPULocal: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline struct State {
    @usableFromInline var batchDepth = 0
    @usableFromInline var batch = VirtualRange(VirtualAddress(0), VirtualAddress(0))
    @usableFromInline var batchStride = PageSize.base
  }
  /// The CPU's number.
  public let id: Int
  /// What the CPU counts its kernel work with.
  public let meter: KernelWorkMeter
  /// Where others leave invalidations for the CPU.
  public let mailbox: InvalidationMailbox
  @usableFromInline let state: UnsafeMutablePointer<State>

  init(id: Int, meter: KernelWorkMeter) {
    self.id = id
    self.meter = meter
    mailbox = InvalidationMailbox()
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  func release() {
    mailbox.release()
    unsafe state.deallocate()
  }

  /// Whether flushes are being collected.
  @inlinable public var isBatching: Bool { unsafe state.pointee.batchDepth > 0 }

  /// Begins to collect flushes; batches nest.
  @inlinable public func openBatch() { unsafe state.pointee.batchDepth &+= 1 }

  /// Adds a flush to the open batch: the batch remembers one range that covers all of them.
  @inlinable public func collect(_ range: VirtualRange, stride: PageSize) {
    guard !range.isEmpty else { return }
    if unsafe state.pointee.batch.isEmpty {
      unsafe state.pointee.batch = range
      unsafe state.pointee.batchStride = stride
    } else {
      let low = unsafe Swift.min(state.pointee.batch.start, range.start)
      let high = unsafe Swift.max(state.pointee.batch.end, range.end)
      unsafe state.pointee.batch = VirtualRange(low, high)
      unsafe state.pointee.batchStride = Swift.min(state.pointee.batchStride, stride)
    }
  }

  /// Ends the innermost batch.
  /// - Returns: what has to be flushed now; empty while an outer batch is open.
  @inlinable public func closeBatch() -> (range: VirtualRange, stride: PageSize) {
    unsafe state.pointee.batchDepth &-= 1
    let nothing = VirtualRange(VirtualAddress(0), VirtualAddress(0))
    guard unsafe state.pointee.batchDepth == 0 else { return (nothing, .base) }
    let collected = unsafe (state.pointee.batch, state.pointee.batchStride)
    unsafe state.pointee.batch = nothing
    return collected
  }
}

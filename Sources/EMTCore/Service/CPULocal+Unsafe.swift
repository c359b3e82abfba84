// SPDX-License-Identifier: MIT
public import SimMemory

/// What belongs to one simulated CPU: its meter, its mailbox, its open flush batch.
///
/// SAFETY: the platform that made it outlives it; only that CPU changes the batch.
@safe @frozen public struct CPULocal: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline struct State {
    @usableFromInline var batchDepth = 0
    @usableFromInline var batchSpace = AddressSpaceID.kernel
    @usableFromInline var batch = VirtualRange(VirtualAddress(0), VirtualAddress(0))
    @usableFromInline var batchStride = PageSize.base
    @usableFromInline var acting: Int

    @usableFromInline init(acting: Int) { self.acting = acting }
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
    unsafe state.initialize(to: State(acting: id))
  }

  func release() {
    mailbox.release()
    unsafe state.deallocate()
  }

  /// The number of the CPU that works through this handle: its own, unless it acts as another one.
  @inlinable public var acting: Int { unsafe state.pointee.acting }

  /// Lets work through this handle be that of `other`: it is counted there, and `other` needs no interrupt for what it
  /// changes itself. For a memory manager that is one thread of the host and serves all CPUs through one handle; between
  /// operations only.
  public func act(as other: CPULocal) {
    unsafe state.pointee.acting = other.id
    meter.charge(to: other.meter)
  }

  /// Whether flushes of `space` are being collected.
  @inlinable public func isBatching(_ space: AddressSpaceID) -> Bool {
    unsafe state.pointee.batchDepth > 0 && state.pointee.batchSpace == space
  }

  /// Begins to collect flushes of `space`; batches nest. While another space's batch is open there is nothing to open:
  /// one range cannot stand for two spaces, so the inner space's flushes go out at once.
  /// - Returns: whether it was opened, and must be closed.
  @inlinable public func openBatch(_ space: AddressSpaceID) -> Bool {
    if unsafe state.pointee.batchDepth == 0 { unsafe state.pointee.batchSpace = space }
    guard unsafe state.pointee.batchSpace == space else { return false }
    unsafe state.pointee.batchDepth &+= 1
    return true
  }

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

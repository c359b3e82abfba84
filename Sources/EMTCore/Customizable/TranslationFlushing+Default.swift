// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

/// More single pages than this are not flushed one by one: the whole space is (Linux on x86 uses the same 33).
@inlinable var singlePageFlushLimit: UInt64 { 33 }

extension TranslationFlushing {
  /// Default: one request to every CPU that runs on the database.
  @inlinable public func flush(_ address: VirtualAddress) {
    let page = VirtualRange(page: address, .base)
    if context.cpu.isBatching(context.spaceID) { return context.cpu.collect(page, stride: .base) }
    send(page, requests: 1)
  }

  /// Default: page by page, or everything past a threshold.
  @inlinable public func flush(_ range: VirtualRange, stride: PageSize) {
    guard !range.isEmpty else { return }
    if context.cpu.isBatching(context.spaceID) { return context.cpu.collect(range, stride: stride) }
    let pages = (range.bytes &+ stride.mask) &>> UInt64(stride.shift)
    if pages > singlePageFlushLimit { flushAll() } else { send(range, requests: pages) }
  }

  /// Default: one request to every CPU that runs on the database.
  @inlinable public func flushAll() {
    if context.cpu.isBatching(context.spaceID) {
      let everything = VirtualRange(VirtualAddress(0), VirtualAddress(~PageSize.base.mask))
      return context.cpu.collect(everything, stride: .base)
    }
    send(nil, requests: 1)
  }

  /// Default: collect in the CPU's batch, flush when the outermost batch ends.
  @inlinable
  public func batch<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard context.cpu.openBatch(context.spaceID) else { return try body() }
    let result: Result
    do { result = try body() } catch {
      let (range, stride) = context.cpu.closeBatch()
      flush(range, stride: stride)
      throw error
    }
    let (range, stride) = context.cpu.closeBatch()
    if !Mutation.batchDropsFlush.isPlanted { flush(range, stride: stride) }
    return result
  }

  /// Pays what a change owes.
  @inlinable public func settle(_ obligation: consuming FlushObligation) {
    if obligation.isOwed {
      if obligation.range.bytes == obligation.stride.bytes {
        flush(obligation.range.start)
      } else if !Mutation.settleDropsRanges.isPlanted {
        flush(obligation.range, stride: obligation.stride)
      }
    }
    obligation.discharge()
  }

  /// Puts a request into the mailbox of every CPU that runs on the database; the kernel's translations are everywhere.
  @usableFromInline func send(_ range: VirtualRange?, requests: UInt64) {
    // Read once: this body is compiled for any driver, and there each use would copy the whole context.
    let context = context
    let mark = context.meter.enter(.flush)
    defer { context.meter.leave(mark) }
    let isKernel = context.spaceID == .kernel
    let request = Invalidation(scope: isKernel ? .everyone : .space(context.spaceID), range: range)
    var targets = isKernel ? ~0 &>> UInt64(64 &- context.platform.cpuCount) : context.runningOn
    context.meter.count(.invalidation, requests &* UInt64(targets.nonzeroBitCount))
    context.interrupt(targets)
    if Mutation.shootdownForgetsCPU.isPlanted, targets.nonzeroBitCount > 1 { targets &= targets &- 1 }
    while targets != 0 {
      context.platform.cpu(targets.trailingZeroBitCount).mailbox.post(request)
      targets &= targets &- 1
    }
    if !isKernel, !Mutation.absentCPUNotMarked.isPlanted { context.markAbsentStale() }
  }
}

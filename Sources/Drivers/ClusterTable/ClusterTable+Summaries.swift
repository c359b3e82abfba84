// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Rare, but compiled for the driver all the same: the generic form takes several times the instructions.
// The structure lock is held alone, or nobody else knows the database.
extension ClusterTable {
  /// Makes a summary for `address`, nil when there is no memory.
  @inlinable public func makeSummary(_ address: VirtualAddress) -> PhysicalAddress? {
    var didClear = false
    guard let frame = context.platform.frames.allocateZeroed(node: context.node, didClear: &didClear) else {
      return nil
    }
    context.meter.count(.tableFrame)
    let number = ClusterSummary.number(address)
    let list = Self.summaryList(number)
    memory.storeRelease(number, at: frame.address.advanced(by: ClusterSummary.number))
    memory.storeRelease(word(list), at: frame.address.advanced(by: ClusterSummary.next))
    set(list, frame.address.raw)
    add(1, to: Self.summaryWords)
    return frame.address
  }

  /// Frees the summary for `address` if nothing is mapped in its 2 GiB.
  @inlinable public func dropSummary(_ address: VirtualAddress) {
    guard let summary = summary(of: address) else { return }
    let gib = VirtualAddress(ClusterSummary.number(address) << 31)
    guard spans(summary, gib) | spans(summary, gib.advanced(by: 1 << 30)) == 0 else { return }
    var link = block.advanced(by: Self.summaryList(ClusterSummary.number(address)))
    while memory.loadAcquire(link) != summary.raw {
      link = PhysicalAddress(memory.loadAcquire(link)).advanced(by: ClusterSummary.next)
    }
    memory.storeRelease(memory.loadAcquire(summary.advanced(by: ClusterSummary.next)), at: link)
    add(-1, to: Self.summaryWords)
    context.advanceGeneration()
    context.meter.count(.tableFrameFreed)
    context.platform.frames.free(summary.frame)
  }

  /// Frees the summaries of a range where nothing is mapped any more.
  @inlinable public func dropSummaries(_ range: VirtualRange) {
    var position = range.start.aligned(down: ClusterSummary.span)
    while position < range.end, summaryCount != 0 {
      dropSummary(position)
      let next = position.advanced(by: ClusterSummary.span.bytes)
      guard next > position else { break }
      position = next
    }
  }

  /// Frees all summaries, whatever they say.
  @inlinable public func freeSummaries() {
    for list in 0..<ClusterSummary.lists {
      var summary = PhysicalAddress(word(Self.summaryList(list)))
      while summary.raw != 0 {
        let next = memory.loadAcquire(summary.advanced(by: ClusterSummary.next))
        context.meter.count(.tableFrameFreed)
        context.platform.frames.free(summary.frame)
        summary = PhysicalAddress(next)
      }
    }
  }
}

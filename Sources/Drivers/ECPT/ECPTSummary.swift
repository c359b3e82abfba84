// SPDX-License-Identifier: MIT
public import ClusterTable
internal import EMTCore
internal import EntryFormats
public import SimMemory

/// What software knows of 2 GiB, in one frame: so that voids and counts of aligned 2 MiB and 1 GiB are O(1), and walk
/// table headers exact.
///
/// ```
///    0–2047  for each 2 MiB 16 bits: how many 4 KiB pages are mapped; bit 15: a 2 MiB page is
/// 2048       the summary's number: address bits 31–47
/// 2056       the next summary of the list
/// 2064, 2072 for each 1 GiB: bits 0–31 how many of its 2 MiB hold 4 KiB pages, 32–62 how many are 2 MiB pages;
///            bit 63: a 1 GiB page is mapped
/// ```
/// Found through one of 64 lists by the low bits of the number; so up to 128 GiB in a row the first try is right.
@usableFromInline enum ECPTSummary {
  @inlinable static var span: PageSize { PageSize(shift: 31) }
  @inlinable static var huge: UInt64 { 1 &<< 15 }
  @inlinable static var hugeSpan: UInt64 { 1 &<< 32 }
  @inlinable static var giant: UInt64 { 1 &<< 63 }
  @inlinable static var number: UInt64 { 2048 }
  @inlinable static var next: UInt64 { 2056 }
  @inlinable static func spans(_ address: VirtualAddress) -> UInt64 { 2064 &+ (address.raw &>> 30 & 1) &<< 3 }
  @inlinable static func number(_ address: VirtualAddress) -> UInt64 { (address.raw &<< 16) &>> 47 }
}

extension ECPTDatabase {
  /// The summary for `address`, nil when nothing was ever mapped in its 2 GiB.
  ///
  /// May be asked without a lock: a list that changes meanwhile leads nowhere worse than to a wrong answer, which
  /// the move generation unmasks.
  @inlinable @inline(__always) func summary(of address: VirtualAddress) -> PhysicalAddress? {
    let number = ECPTSummary.number(address)
    let first = PhysicalAddress(word(ECPTWord.bucket(number & (ECPTWord.buckets &- 1))))
    if first.raw == 0 { return nil }
    if memory.loadAcquire(first.advanced(by: ECPTSummary.number)) == number { return first }
    return summary(after: first, number)
  }

  @usableFromInline @inline(never)
  func summary(after first: PhysicalAddress, _ number: UInt64) -> PhysicalAddress? {
    var summary = first
    for _ in 0..<4096 {
      summary = PhysicalAddress(memory.loadAcquire(summary.advanced(by: ECPTSummary.next)))
      guard summary.raw != 0, summary.raw < memory.bytes, summary.raw & PageSize.base.mask == 0 else {
        return nil
      }
      if memory.loadAcquire(summary.advanced(by: ECPTSummary.number)) == number { return summary }
    }
    return nil
  }

  /// What is known of the 1 GiB around `address`.
  @inlinable func spans(_ summary: PhysicalAddress, _ address: VirtualAddress) -> UInt64 {
    memory.loadAcquire(summary.advanced(by: ECPTSummary.spans(address)))
  }

  /// What is known of the 2 MiB around `address`.
  @inlinable func pages(_ summary: PhysicalAddress, _ address: VirtualAddress) -> UInt64 {
    let index = address.raw &>> 21 & 1023
    return memory.loadAcquire(summary.advanced(by: (index &>> 2) &<< 3)) &>> ((index & 3) &<< 4) & 0xFFFF
  }

  /// Counts pages of `table` more or fewer in the 2 MiB around `address`.
  /// - Returns: whether the 2 MiB, or for large pages the entry, begins or ceases to hold any: walk tables care then.
  @inlinable @inline(__always)
  func tally(_ summary: PhysicalAddress?, _ address: VirtualAddress, _ table: Int, _ pages: Int64) -> Bool {
    guard let summary else { preconditionFailure("a mapped page has no summary") }
    let spans = summary.advanced(by: ECPTSummary.spans(address))
    if table == 2 {
      change(spans) { pages > 0 ? $0 | ECPTSummary.giant : $0 & ~ECPTSummary.giant }
      return true
    }
    let index = address.raw &>> 21 & 1023
    let lane = (index & 3) &<< 4
    let difference =
      table == 0 ? UInt64(bitPattern: pages) : pages > 0 ? ECPTSummary.huge : ~ECPTSummary.huge &+ 1
    let old = memory.fetchAdd(difference &<< lane, at: summary.advanced(by: (index &>> 2) &<< 3))
    let count = old &>> lane & 0xFFFF
    guard count == 0 || (count &+ difference) & 0xFFFF == 0 else { return false }
    let one: UInt64 = table == 0 ? 1 : ECPTSummary.hugeSpan
    change(spans) { count == 0 ? $0 &+ one : $0 &- one }
    return true
  }

  /// Makes a summary for `address`, nil when there is no memory. The structure lock is held alone.
  func makeSummary(_ address: VirtualAddress) -> PhysicalAddress? {
    var didClear = false
    guard let frame = context.platform.frames.allocateZeroed(node: context.node, didClear: &didClear) else {
      return nil
    }
    context.meter.count(.tableFrame)
    let number = ECPTSummary.number(address)
    let bucket = ECPTWord.bucket(number & (ECPTWord.buckets - 1))
    memory.storeRelease(number, at: frame.address.advanced(by: ECPTSummary.number))
    memory.storeRelease(word(bucket), at: frame.address.advanced(by: ECPTSummary.next))
    set(bucket, frame.address.raw)
    add(1, to: ECPTWord.summaries)
    return frame.address
  }

  /// Frees the summary for `address` if nothing is mapped in its 2 GiB. The structure lock is held alone.
  func dropSummary(_ address: VirtualAddress) {
    guard let summary = summary(of: address) else { return }
    let gib = VirtualAddress(ECPTSummary.number(address) << 31)
    guard spans(summary, gib) | spans(summary, gib.advanced(by: 1 << 30)) == 0 else { return }
    var link = block.advanced(by: ECPTWord.bucket(ECPTSummary.number(address) & (ECPTWord.buckets - 1)))
    while memory.loadAcquire(link) != summary.raw {
      link = PhysicalAddress(memory.loadAcquire(link)).advanced(by: ECPTSummary.next)
    }
    memory.storeRelease(memory.loadAcquire(summary.advanced(by: ECPTSummary.next)), at: link)
    add(-1, to: ECPTWord.summaries)
    context.advanceGeneration()
    context.meter.count(.tableFrameFreed)
    context.platform.frames.free(summary.frame)
  }

  func freeSummaries(_ bucket: UInt64) {
    var summary = PhysicalAddress(word(ECPTWord.bucket(bucket)))
    while summary.raw != 0 {
      let next = memory.loadAcquire(summary.advanced(by: ECPTSummary.next))
      context.meter.count(.tableFrameFreed)
      context.platform.frames.free(summary.frame)
      summary = PhysicalAddress(next)
    }
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import EntryFormats
public import Mutations
public import SimMemory

/// What software knows of 2 GiB, in one frame, so that voids and counts of aligned 2 MiB and 1 GiB are O(1). Hardware does
/// not read it.
///
/// ```
///    0–2047  for each 2 MiB 16 bits: how many 4 KiB pages are mapped; bit 15: a 2 MiB page is
/// 2048       the summary's number: address bits 31–47
/// 2056       the next summary of the list
/// 2064, 2072 for each 1 GiB: bits 0–31 how many of its 2 MiB hold 4 KiB pages, 32–62 how many are 2 MiB pages;
///            bit 63: a 1 GiB page is mapped
/// ```
/// Found through one of 64 lists by the low bits of the number; so up to 128 GiB in a row the first try is right.
@frozen public enum ClusterSummary {
  /// How much one summary is about.
  @inlinable public static var span: PageSize { PageSize(shift: 31) }
  /// In the 16 bits of a 2 MiB: it is one page.
  @inlinable public static var huge: UInt64 { 1 &<< 15 }
  /// In the word of a 1 GiB: one 2 MiB page.
  @inlinable public static var hugeSpan: UInt64 { 1 &<< 32 }
  /// In the word of a 1 GiB: it is one page.
  @inlinable public static var giant: UInt64 { 1 &<< 63 }
  /// How many lists there are.
  @inlinable public static var lists: UInt64 { 64 }
  @inlinable static var number: UInt64 { 2048 }
  @inlinable static var next: UInt64 { 2056 }
  @inlinable static func spans(_ address: VirtualAddress) -> UInt64 { 2064 &+ (address.raw &>> 30 & 1) &<< 3 }
  @inlinable static func number(_ address: VirtualAddress) -> UInt64 { (address.raw &<< 16) &>> 47 }
}

extension ClusterTable {
  /// How many summaries there are.
  @inlinable public var summaryCount: UInt64 { word(Self.summaryWords) }

  /// Where in the block the list is that a summary's number belongs to.
  @inlinable @inline(__always) static func summaryList(_ number: UInt64) -> UInt64 {
    summaryWords &+ 8 &+ (number & (ClusterSummary.lists &- 1)) &<< 3
  }

  /// The summary for `address`, nil when nothing was ever mapped in its 2 GiB.
  ///
  /// May be asked without a lock: a list that changes meanwhile leads nowhere worse than to a wrong answer, which
  /// the move generation unmasks.
  @inlinable @inline(__always) public func summary(of address: VirtualAddress) -> PhysicalAddress? {
    let number = ClusterSummary.number(address)
    let first = PhysicalAddress(word(Self.summaryList(number)))
    if first.raw == 0 { return nil }
    if memory.loadAcquire(first.advanced(by: ClusterSummary.number)) == number { return first }
    return summary(after: first, number)
  }

  @inlinable @inline(never)
  func summary(after first: PhysicalAddress, _ number: UInt64) -> PhysicalAddress? {
    var summary = first
    for _ in 0..<4096 {
      summary = PhysicalAddress(memory.loadAcquire(summary.advanced(by: ClusterSummary.next)))
      guard summary.raw != 0, summary.raw < memory.bytes, summary.raw & PageSize.base.mask == 0 else {
        return nil
      }
      if memory.loadAcquire(summary.advanced(by: ClusterSummary.number)) == number { return summary }
    }
    return nil
  }

  /// What is known of the 1 GiB around `address`.
  @inlinable public func spans(_ summary: PhysicalAddress, _ address: VirtualAddress) -> UInt64 {
    memory.loadAcquire(summary.advanced(by: ClusterSummary.spans(address)))
  }

  /// What is known of the 2 MiB around `address`.
  @inlinable public func pages(_ summary: PhysicalAddress, _ address: VirtualAddress) -> UInt64 {
    let index = address.raw &>> 21 & 1023
    return memory.loadAcquire(summary.advanced(by: (index &>> 2) &<< 3)) &>> ((index & 3) &<< 4) & 0xFFFF
  }

  /// Whether the summary knows of no page of another size in the way of a page of `table` at `address`.
  @inlinable public func isFree(_ summary: PhysicalAddress, _ address: VirtualAddress, _ table: Int) -> Bool {
    let spans = spans(summary, address)
    if table == 2 { return spans & ~ClusterSummary.giant == 0 }
    let pages = pages(summary, address)
    let others = table == 0 ? pages & ClusterSummary.huge : pages & ~ClusterSummary.huge
    return others | spans & ClusterSummary.giant == 0
  }

  /// Counts pages of `table` more or fewer in the 2 MiB around `address`.
  /// - Returns: whether the 2 MiB, or for large pages the entry, begins or ceases to hold any.
  @inlinable @inline(__always) @discardableResult
  public func tally(
    _ summary: PhysicalAddress?, _ address: VirtualAddress, _ table: Int, _ pages: Int64
  ) -> Bool {
    guard let summary else { preconditionFailure("a mapped page has no summary") }
    let spans = summary.advanced(by: ClusterSummary.spans(address))
    if table == 2 {
      change(spans) { pages > 0 ? $0 | ClusterSummary.giant : $0 & ~ClusterSummary.giant }
      return true
    }
    let index = address.raw &>> 21 & 1023
    let lane = (index & 3) &<< 4
    let difference =
      table == 0 ? UInt64(bitPattern: pages) : pages > 0 ? ClusterSummary.huge : ~ClusterSummary.huge &+ 1
    let old = memory.fetchAdd(difference &<< lane, at: summary.advanced(by: (index &>> 2) &<< 3))
    let count = old &>> lane & 0xFFFF
    guard count == 0 || (count &+ difference) & 0xFFFF == 0 else { return false }
    let one: UInt64 = table == 0 ? 1 : ClusterSummary.hugeSpan
    let first = Mutation.summaryForgotten.isPlanted && table == 0 ? 0 : one
    change(spans) { count == 0 ? $0 &+ first : $0 &- one }
    return true
  }
}

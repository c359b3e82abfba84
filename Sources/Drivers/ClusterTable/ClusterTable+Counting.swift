// SPDX-License-Identifier: MIT
public import EMTCore
internal import EntryFormats
public import Mutations
public import SimMemory

extension ClusterTable {
  /// Customizable 13. One look at the summary for each aligned 1 GiB and 2 MiB; clusters only at the edges.
  @inlinable public func isVoid(_ range: VirtualRange) -> Bool { mapped(in: range, stopsAtFirst: true) == 0 }

  /// Customizable 14. Likewise; an aligned 1 GiB that is not void adds up 128 words.
  @inlinable public func countMapped(in range: VirtualRange) -> UInt64 {
    mapped(in: range, stopsAtFirst: false)
  }

  @inlinable @inline(never)
  func mapped(in range: VirtualRange, stopsAtFirst: Bool) -> UInt64 {
    var (position, pages) = (range.start, UInt64(0))
    while position < range.end, !stopsAtFirst || pages == 0 {
      context.meter.count(.summaryRead)
      let generation = context.generation
      var (known, size) = known(position, range)
      if known == nil {
        var (scan, sum) = (position, UInt64(0))
        let edge = VirtualRange(page: position, size).intersection(range).end
        while let group = nextGroup(&scan, edge) {
          for index in 0..<group.count where group.words[index] != 0 { sum &+= 1 }
        }
        known = Mutation.groupMissesLast.isPlanted && sum > 1 ? sum &- 1 : sum
      }
      guard context.generation == generation else { continue }
      pages &+= known ?? 0
      let end = position.aligned(down: size).advanced(by: size.bytes)
      position = end.raw == 0 || end > range.end ? range.end : end
    }
    return pages
  }

  /// How many pages of `range` the aligned span around `position` maps, and the size of that span; the number is
  /// nil when only part of a 2 MiB with base pages is asked for.
  @inlinable @inline(never)
  func known(_ position: VirtualAddress, _ range: VirtualRange) -> (UInt64?, PageSize) {
    guard owns(position), let summary = summary(of: position) else { return (0, ClusterSummary.span) }
    let spans = spans(summary, position)
    if spans == 0 { return (0, .oneGiB) }
    let gib = VirtualRange(page: position, .oneGiB)
    if spans & ClusterSummary.giant != 0 { return (gib.intersection(range).pages, .oneGiB) }
    if range.contains(gib) {
      let words = summary.advanced(by: (position.raw >> 30 & 1) << 10)
      var sum: UInt64 = 0
      for offset in stride(from: 0, to: UInt64(1024), by: 8) {
        let lanes = memory.loadAcquire(words.advanced(by: offset))
        sum &+= ((lanes & 0x7FFF_7FFF_7FFF_7FFF) &* 0x0001_0001_0001_0001) >> 48
        sum &+= UInt64((lanes & 0x8000_8000_8000_8000).nonzeroBitCount) << 9
      }
      return (sum, .oneGiB)
    }
    let pages = pages(summary, position)
    let span = VirtualRange(page: position, .twoMiB)
    if pages & ClusterSummary.huge != 0 { return (span.intersection(range).pages, .twoMiB) }
    return (pages == 0 || range.contains(span) ? pages : nil, .twoMiB)
  }
}

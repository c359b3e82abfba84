// SPDX-License-Identifier: MIT
internal import ClusterTable
internal import EMTCore
internal import EntryFormats
public import SimMemory

extension ECPTDatabase {
  /// Refreshes headers as a reaction to a change that was made beside others.
  @usableFromInline @inline(never) func noteBoundary(_ address: VirtualAddress) {
    alone { refreshHeaders(address) }
  }

  /// Makes the headers for `address` in both walk tables say exactly what the summaries and tables say now.
  ///
  /// The structure lock is held alone. Cost: one search in each walk table and five summaries, when a 2 MiB begins or
  /// ceases to hold pages. A row for which there is no place is left out: the walker tries every way then.
  @usableFromInline func refreshHeaders(_ address: VirtualAddress) {
    let section = address.aligned(down: ECPTFormat.span(1))
    var header: UInt64 = 0
    if let summary = summary(of: section) {
      let first = summary.advanced(by: (section.raw >> 21 & 1023) << 1)
      let lanes = memory.loadAcquire(first) | memory.loadAcquire(first.advanced(by: 8))
      if lanes & 0x7FFF_7FFF_7FFF_7FFF != 0 { header |= ECPTRow.base }
      if lanes & 0x8000_8000_8000_8000 != 0 {
        header |= ECPTRow.huge | way(of: section, 1) << ECPTRow.wayShift
      }
    }
    setHeader(section, 3, header)
    let region = address.aligned(down: ECPTFormat.span(2))
    var spans: UInt64 = 0
    for index in 0..<UInt64(4) {
      let pair = region.advanced(by: index << 31)
      guard let summary = summary(of: pair) else { continue }
      spans |= self.spans(summary, pair) | self.spans(summary, pair.advanced(by: 1 << 30))
    }
    header = spans & 0xFFFF_FFFF != 0 ? ECPTRow.base : 0
    if (spans & ~ClusterSummary.giant) >> 32 != 0 { header |= ECPTRow.huge }
    if spans & ClusterSummary.giant != 0 { header |= ECPTRow.giant | way(of: region, 2) << ECPTRow.wayShift }
    setHeader(region, 4, header)
  }

  /// The way of a cluster of large pages; 3 when it is in the stash.
  private func way(of address: VirtualAddress, _ table: Int) -> UInt64 {
    let number = ECPTFormat.number(address, table)
    let hash = policy.hash.hash(number)
    for way in 0..<ECPTFormat.ways where holds(place(table, way, hash), number, table) { return UInt64(way) }
    return 3
  }

  /// Changes one header. A row is made for the first header that says anything, and freed with the last.
  private func setHeader(_ address: VirtualAddress, _ table: Int, _ header: UInt64) {
    let number = ECPTFormat.number(address, table)
    var hasStepped = false
    let (found, free) = slotOrFree(number, table)
    guard let row = found ?? (header == 0 ? nil : claim(number, table, free, &hasStepped)) else { return }
    let index = address.raw >> UInt64(ECPTFormat.span(table - 2).shift) & 63
    let lane = (index & 7) << 3
    let place = row.advanced(by: index & ~7)
    let mark = row.advanced(by: ClusterFormat.markOffset)
    if found == nil {
      memory.storeRelease(ECPTRow.tag(number), at: row)
      for offset in stride(from: 8, through: ClusterFormat.markOffset, by: 8) {
        memory.storeRelease(0, at: row.advanced(by: offset))
      }
      add(1, to: ECPTWord.live(table))
    }
    let raw = memory.loadRelaxed(place)
    let old = raw >> lane & ECPTRow.header
    guard old != header else { return }
    memory.storeRelease(raw & ~(ECPTRow.header << lane) | header << lane, at: place)
    guard old == 0 || header == 0 else { return }
    let last = memory.loadRelaxed(mark)
    let count = ECPTRow.count(in: last) &+ (old == 0 ? 1 : ~0)
    memory.storeRelease(last & ~ECPTRow.countMask | ECPTRow.count(count), at: mark)
    if count == 0 { add(-1, to: ECPTWord.live(table)) }
  }
}

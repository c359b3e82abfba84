// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// Counts every translation of every process again, for tests and checked replays: resident pages, mappings of each
  /// frame, and that no page reaches out of its area. Nothing is charged.
  /// - Returns: the first count that is wrong, in words.
  /// - Complexity: linear in the mapped pages.
  public func brokenCount() -> String? {
    var mappings: [UInt64: UInt32] = [:]
    var total: UInt64 = 0
    for space in spaces {
      var pages: UInt64 = 0
      for area in space.layout.areas.areas {
        if let broken = count(space, area, &pages, &mappings) { return broken }
      }
      if pages != space.residentPages {
        return "\(pages) pages are mapped, but \(space.residentPages) counted"
      }
      total += pages
    }
    if total != residentPages { return "\(total) pages are mapped in all, but \(residentPages) counted" }
    if let broken = brokenPool() ?? brokenGroup() { return broken }
    for (frame, count) in mappings.sorted(by: { $0.key < $1.key }) {
      let counted = platform.frames.table.mappings(FrameNumber(frame))
      if counted != count { return "frame \(frame) is mapped \(count) times, but counted \(counted) times" }
    }
    return nil
  }

  private func count(
    _ space: Space<Database>, _ area: VMA, _ pages: inout UInt64, _ mappings: inout [UInt64: UInt32]
  ) -> String? {
    var database = space.database
    database.context.cpu = platform.observer
    var iterator = database.makeIterator(over: area.range)
    defer { database.endIteration(iterator) }
    while let object = database.nextMapped(&iterator) {
      guard area.range.contains(object.span) else { return "\(object.span) reaches out of \(area.range)" }
      guard object.isPresent else { continue }
      let isPooled = area.flags.contains(.hugeTLB)
      if !isPooled { pages += object.size.basePages }
      guard !object.isSpecial else { continue }
      let isHuge = object.size != .base
      if isHuge, !isPooled, !area.flags.contains(.hasHugePages) {
        return "\(area.range) does not know of a huge page"
      }
      let frames = isHuge && platform.frames.isCut(object.frame) ? object.size.basePages : 1
      for step in 0..<frames { mappings[object.frame.raw + step, default: 0] += 1 }
    }
    return nil
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// Counts the pages and promises of all pools again, for tests and checked replays.
  /// - Returns: the first count that is wrong, in words.
  func brokenPool() -> String? {
    var used = poolCell.value.map { _ in Set<UInt64>() }
    var reserved = poolCell.value.map { _ in UInt64(0) }
    for id in files.all {
      guard let file = files[id].hugeTLB else { continue }
      for page in file.pages.pages(in: 0..<PageIndex.maximumPages) {
        if let head = file.pages[page] { used[file.pool].insert(head.raw) }
        if file.reserved.contains(page) {
          return "page \(page) of file \(id.raw) exists, and is promised still"
        }
      }
      reserved[file.pool] += UInt64(file.reserved.count)
    }
    for space in spaces {
      var left = space.layout.hugeReservations
      for area in space.layout.areas.areas where area.flags.contains(.hugeTLB) {
        guard let file = files[area.file].hugeTLB else { return "\(area.range) has no pool" }
        for page in hugePages(of: area.range, file.size) where left.remove(page) != nil {
          reserved[file.pool] += 1
        }
        if let broken = collect(space, area, file.size, &used[file.pool]) { return broken }
      }
      if let stray = left.first {
        return "a page was promised at \(VirtualAddress(stray)), where there is no mapping"
      }
    }
    for (number, pool) in poolCell.value.enumerated() {
      let counters = pool.counters
      if UInt64(used[number].count) != counters.total - counters.free {
        return "\(used[number].count) pages of \(pool.size) are in use, but the pool counts \(counters)"
      }
      let all = used[number].map { FrameNumber($0) } + pool.free
      for node in pool.totals.indices
      where pool.totals[node] != UInt64(all.count { platform.frames.node(of: $0) == node }) {
        return "the pool of \(pool.size) counts \(pool.totals) pages by node"
      }
      if reserved[number] != counters.reserved {
        return "\(reserved[number]) pages of \(pool.size) are promised, but the pool counts \(counters)"
      }
      if counters.reserved > counters.free || counters.surplus > counters.total {
        return "\(counters) cannot be"
      }
    }
    return nil
  }

  private func collect(
    _ space: Space<Database>, _ area: VMA, _ size: PageSize, _ used: inout Set<UInt64>
  ) -> String? {
    var database = space.database
    database.context.cpu = platform.observer
    var iterator = database.makeIterator(over: area.range)
    defer { database.endIteration(iterator) }
    while let object = database.nextMapped(&iterator) {
      if object.size != size { return "\(object.span) is not a page of \(size)" }
      if space.layout.hugeReservations.contains(object.start.raw), area.isPrivate,
        platform.frames.table.references(object.frame) == 0
      {
        return "\(object.span) has a page of its own, and is promised one still"
      }
      used.insert(object.frame.raw)
    }
    return nil
  }
}

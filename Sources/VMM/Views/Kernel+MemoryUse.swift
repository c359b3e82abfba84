// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// The use of memory of every area, in order of address.
  public func memoryUse(_ space: Space<Database>) -> [(area: VMA, use: MemoryUse)] {
    space.layout.areas.areas.map { ($0, memoryUse(space, $0)) }
  }

  private func memoryUse(_ space: Space<Database>, _ area: VMA) -> MemoryUse {
    let (database, page) = (space.database, PageSize.base.bytes)
    var use = MemoryUse()
    use.size = area.range.bytes
    if area.flags.contains(.hugeTLB) { return pooledUse(space, area, use) }
    // Shares are summed in parts of a byte, as in Linux (PSS_SHIFT).
    var shares: UInt64 = 0
    var iterator = database.makeIterator(over: area.range)
    while let object = database.nextMapped(&iterator) {
      let part = object.span.intersection(area.range)
      guard object.isPresent else {
        if isSwapped(object, in: database) { use.swapped += part.bytes }
        continue
      }
      if object.isSpecial { continue }
      if object.size != .base { use.hugePages += part.bytes }
      if object.isAccessed { use.referenced += part.bytes }
      for step in 0..<part.pages {
        let frame = frame(of: object, at: part.start.advanced(by: step * page))
        let mappers = max(1, mappers(of: object, frame))
        use.resident += page
        shares += page << 12 / UInt64(mappers)
        if isAnonymous(frame) || area.isAnonymous { use.anonymous += page }
        let isDirty = object.isDirty || platform.frames.table.pageFlags(frame).contains(.dirty)
        switch (mappers > 1, isDirty) {
        case (true, true): use.sharedDirty += page
        case (true, false): use.sharedClean += page
        case (false, true): use.privateDirty += page
        case (false, false): use.privateClean += page
        }
      }
    }
    database.endIteration(iterator)
    use.proportional = shares >> 12
    if area.flags.contains(.locked) { use.locked = use.proportional }
    return use
  }
}

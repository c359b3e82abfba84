// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

// Mappings of pooled huge pages as others see them.
extension Kernel {
  /// The use of memory of such an area: its pages count apart from all others.
  func pooledUse(_ space: Space<Database>, _ area: VMA, _ empty: MemoryUse) -> MemoryUse {
    var use = empty
    var iterator = space.database.makeIterator(over: area.range)
    while let object = space.database.nextMapped(&iterator) {
      guard object.isPresent else { continue }
      if platform.frames.table.mappings(object.frame) > 1 {
        use.sharedHugeTLB += object.size.bytes
      } else {
        use.privateHugeTLB += object.size.bytes
      }
    }
    space.database.endIteration(iterator)
    return use
  }

  /// Digests of the pages of the file that the area reaches and that are not all zero, in order, by number of their first
  /// base page.
  func pooledContents(of area: VMA, _ file: HugeFile) -> [(page: UInt64, contents: UInt64)] {
    var found: [(page: UInt64, contents: UInt64)] = []
    for index in area.hugeIndices(area.range, file.size) {
      guard let head = file.pages[index], !platform.memory.isZero(head.address, bytes: file.size.bytes) else {
        continue
      }
      let first = index << UInt64(file.size.order)
      found.append((first, platform.memory.digest(of: head.address, bytes: file.size.bytes)))
    }
    return found
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Contents as they are, wherever they are: for whoever compares machines. Nothing is counted or brought in.
extension Kernel {
  /// Calls `body` with the digest of each private base page behind `object` that is not all zero, in memory or in swap.
  ///
  /// Page by page and without zeros, so that it does not matter how large the translations are and whether memory that
  /// nobody wrote to is mapped.
  @inlinable
  public func forEachPrivatePage(
    of object: Database.Object, in database: Database, _ body: (VirtualAddress, UInt64) -> Void
  ) {
    if object.isPresent {
      guard !object.isSpecial, object.size > .base || isAnonymous(object.frame) else { return }
      for step in 0..<object.size.basePages {
        let contents = platform.memory.digest(of: object.frame.advanced(by: step).address, bytes: 4096)
        if contents != PageStore.digestOfZeros { body(object.start.advanced(by: step &<< 12), contents) }
      }
    } else if let entry = database.swapEntry(of: object), entry.area != Marker.area,
      let contents = contents(of: entry), contents != PageStore.digestOfZeros
    {
      body(object.start, contents)
    }
  }

  @usableFromInline func isAnonymous(_ frame: FrameNumber) -> Bool {
    platform.frames.table.pageFlags(frame).contains(.anonymous)
  }

  @usableFromInline func contents(of entry: SwapEntry) -> UInt64? {
    if let frame = swapCell.value.frame(entry) {
      return platform.memory.digest(of: frame.address, bytes: 4096)
    }
    return swapCell.value.store(of: entry)?.digest(of: entry.offset)
  }

  /// Digests of the pages of an area's file that the area reaches and that are not all zero, in order.
  public func fileContents(of area: VMA) -> [(page: UInt64, contents: UInt64)] {
    let file = files[area.file]
    if let huge = file.hugeTLB { return pooledContents(of: area, huge) }
    let first = area.offset >> 12
    var found: [(page: UInt64, contents: UInt64)] = []
    for page in file.knownPages(in: first..<(first + area.range.pages)) {
      var contents: UInt64?
      if let frame = file.pages[page] {
        contents = platform.memory.digest(of: frame.address, bytes: 4096)
      } else if let entry = SwapEntry(packed: file.slots[page]) {
        contents = self.contents(of: entry)
      } else {
        contents = file.store.digest(of: page)
      }
      if let contents, contents != PageStore.digestOfZeros { found.append((page, contents)) }
    }
    return found
  }
}

extension FileObject {
  /// The pages in `pages` that are in memory or whose contents were kept elsewhere, in order.
  func knownPages(in pages: Range<UInt64>) -> [UInt64] {
    var known = self.pages.pages(in: pages)
    guard hasEvictedPages else { return known }
    known += slots.positions(in: pages) + store.pages(in: pages)
    return Set(known).sorted()
  }
}

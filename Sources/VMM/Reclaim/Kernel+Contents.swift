// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Contents as they are, wherever they are: for whoever compares machines. Nothing is counted or brought in.
extension Kernel {
  /// A digest of the contents of a private page, in memory or in swap; nil for what is not a private page.
  @inlinable public func privateContents(of object: Database.Object, in database: Database) -> UInt64? {
    if object.isPresent {
      guard !object.isSpecial, object.size > .base || isAnonymous(object.frame) else { return nil }
      return platform.memory.digest(of: object.physicalAddress, bytes: object.size.bytes)
    }
    guard let entry = database.swapEntry(of: object), entry.area != Marker.area else { return nil }
    return contents(of: entry)
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
    let zero = PageStore().digest(of: 0)
    for page in file.knownPages(in: first..<(first + area.range.pages)) {
      var contents: UInt64?
      if let frame = file.pages[page] {
        contents = platform.memory.digest(of: frame.address, bytes: 4096)
      } else if let entry = SwapEntry(packed: file.slots[page]) {
        contents = self.contents(of: entry)
      } else {
        contents = file.store.digest(of: page)
      }
      if let contents, contents != zero { found.append((page, contents)) }
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

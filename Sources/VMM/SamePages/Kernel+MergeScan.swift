// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// The job that looks for equal pages (Linux: ksmd). Whoever runs the machine says when; its work is charged to an
// operation of its own.
extension Kernel {
  /// Looks at the next `pages` pages that may be merged, or at fewer where a full scan ends, and merges those that equal
  /// another one. O(pages × log pages) comparisons of contents.
  ///
  /// A page is merged at once with pages that were merged before, and with others when it did not change between two scans:
  /// two or three full scans find everything.
  /// - Returns: how many pages gave way to an equal one.
  @inlinable @inline(never) @discardableResult
  public func mergeSamePages(pages: UInt64) -> UInt64 {
    guard samePages.mode == .merge else { return 0 }
    let mark = meter.enter(.ksmd)
    defer { meter.leave(mark) }
    guard hasMergeableSpaces else { return 0 }
    if samePages.cursor.space == 0, samePages.cursor.address.raw == 0 { beginScan() }
    let before = samePages.counts
    var budget = pages
    while budget > 0 {
      guard let space = nextSpaceToMerge() else {
        samePages.finishScan()
        break
      }
      guard scan(space, &budget) else { break }
      samePages.forget(space.number, onlyUnseen: true)
      samePages.cursor = (Int(space.number) &+ 1, VirtualAddress(0))
    }
    let after = samePages.counts
    let gain = after.sharing &+ after.zeroPages
    return gain > before.sharing &+ before.zeroPages ? gain &- before.sharing &- before.zeroPages : 0
  }

  @usableFromInline var hasMergeableSpaces: Bool {
    spaceCell.value.contains { $0?.layout.mayMerge ?? false }
  }

  @usableFromInline func nextSpaceToMerge() -> Space<Database>? {
    for number in spaceCell.value.indices.dropFirst(samePages.cursor.space) {
      guard let space = spaceCell.value[number], space.layout.mayMerge else { continue }
      if number != samePages.cursor.space { samePages.cursor = (number, VirtualAddress(0)) }
      return space
    }
    return nil
  }

  /// Forgets merged pages that are gone, and keys that lead nowhere.
  @inlinable func beginScan() {
    // A key that leads to a page on its way would seem to lead nowhere.
    finishMigrations()
    samePages.clean(platform.frames.table)
    for (node, frame) in samePages.nodesWithSpareKeys() {
      samePages.keepKeys(of: node) { key in
        var left = UInt32.max
        // Seeing one translation is enough.
        return !forEachTranslation(of: frame, key, left: &left, splitting: false) { _, _, _ in false }
          || hidesHugeTranslation(frame, key)
      }
    }
  }

  /// Whether a huge translation of a block that was cut may cover the page.
  @inlinable func hidesHugeTranslation(_ frame: FrameNumber, _ key: PageKey) -> Bool {
    guard hugePageCounts.isInUse else { return false }
    for member in mappers(of: key).members {
      guard let space = spaceCell.value[Int(member.space)] else { continue }
      for area in space.layout.areas.areas where key.mayBe(in: area) {
        guard let address = key.address(in: area) else { continue }
        let object = space.database.find(address)
        if object.isPresent, !object.isSpecial, self.frame(of: object, at: address) == frame { return true }
      }
    }
    return false
  }

  /// Looks at one address space, from where the job stopped.
  /// - Returns: whether it came to the end.
  @inlinable func scan(_ space: Space<Database>, _ budget: inout UInt64) -> Bool {
    let database = space.database
    for area in areas(space, from: samePages.cursor.address) where area.flags.contains(.mergeable) {
      guard canHoldMergedPages(area), area.flags.contains(.hasPrivatePages) else { continue }
      meter.count(.vmaStep)
      let part = VirtualRange(Swift.max(area.range.start, samePages.cursor.address), area.range.end)
      var iterator = database.makeIterator(over: part)
      defer { database.endIteration(iterator) }
      while let object = database.nextMapped(&iterator) {
        guard object.isPresent, !object.isSpecial, object.size != .base || isAnonymous(object.frame) else {
          continue
        }
        let span = object.span.intersection(part)
        for step in 0..<span.pages {
          let address = span.start.advanced(by: step &* PageSize.base.bytes)
          if budget == 0 {
            samePages.cursor.address = address
            return false
          }
          budget &-= 1
          examine(space, area, address)
        }
      }
    }
    return true
  }

  /// One page: is it merged, does it equal a merged page, did it change lately, does it equal one that was seen?
  @inlinable @inline(never)
  func examine(_ space: Space<Database>, _ area: VMA, _ address: VirtualAddress) {
    guard let frame = privateFrame(space, address) else { return }
    meter.count(.pageScanned)
    let id = SamePages.PageID(space.number, address)
    let (memory, table) = (platform.memory, platform.frames.table)
    samePages.see(id)
    if table.pageFlags(frame).contains(.merged) {
      let node = PageKey(word: table.word(frame)).page
      // A child of a fork shares what its parent shares.
      if !samePages.isSharer(id, of: node) { samePages.attach(id, to: node) }
      return
    }
    samePages.detach(id)
    let checksum = memory.digest(of: frame.address, bytes: PageSize.base.bytes)
    guard samePages.isUnchanged(id, checksum) else { return }
    if samePages.settings.usesZeroPages, memory.isZero(frame.address, bytes: PageSize.base.bytes) {
      if mergeWithZeroes(space, address) { samePages.noteZeroPage() }
      return
    }
    if let (node, target) = samePages.findMerged(frame, memory, platform.frames) {
      if merge(space, address, into: target, node) { samePages.attach(id, to: node) }
      return
    }
    let place = searchUnstable(frame)
    guard place.isFound else { return samePages.insertUnstable(id, at: place.index) }
    let other = samePages.unstable[place.index]
    // Shared since a fork: nothing would be gained.
    guard let (otherSpace, otherFrame) = unstablePage(other), otherFrame != frame else { return }
    mergeTwo((space, address), (otherSpace, other.address), at: place.index)
  }

  /// Where a page with the contents of `frame` stands in the unstable set; pages that are gone are taken out.
  @inlinable func searchUnstable(_ frame: FrameNumber) -> SamePages.Position {
    var (low, high) = (0, samePages.unstable.count)
    while low < high {
      let middle = (low &+ high) / 2
      guard let (_, other) = unstablePage(samePages.unstable[middle]) else {
        samePages.unstable.remove(at: middle)
        (low, high) = (0, samePages.unstable.count)
        continue
      }
      let order = samePages.order(of: frame, other, platform.memory, platform.frames)
      if order == 0 { return SamePages.Position(middle, isFound: true) }
      if order < 0 { high = middle } else { low = middle &+ 1 }
    }
    return SamePages.Position(low, isFound: false)
  }

  /// The space and the frame of a page of the unstable set, if it may still be merged.
  @inlinable func unstablePage(_ id: SamePages.PageID) -> (Space<Database>, FrameNumber)? {
    guard Int(id.space) < spaceCell.value.count, let space = spaceCell.value[Int(id.space)],
      let area = space.layout.areas.area(at: id.address), area.flags.contains(.mergeable),
      canHoldMergedPages(area), let frame = privateFrame(space, id.address),
      !platform.frames.table.pageFlags(frame).contains(.merged)
    else { return nil }
    return (space, frame)
  }

  /// The base frame of a private page that is in memory at `address`, be it mapped alone or as a part of a huge page.
  @inlinable func privateFrame(_ space: Space<Database>, _ address: VirtualAddress) -> FrameNumber? {
    let object = space.database.find(address)
    guard object.isPresent, !object.isSpecial, object.size != .base || isAnonymous(object.frame) else {
      return nil
    }
    return frame(of: object, at: address)
  }
}

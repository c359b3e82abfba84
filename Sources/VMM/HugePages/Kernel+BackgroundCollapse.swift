// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// Where the background job goes on with its next pass.
@usableFromInline struct CollapseCursor: Sendable {
  /// The lowest process number whose address space is still to be looked at.
  @usableFromInline var pid: UInt32 = 0
  /// The first address to look at in it.
  @usableFromInline var address = VirtualAddress(0)
  @usableFromInline init() {}
}

extension Kernel {
  /// One pass of the background job that makes huge pages of base pages (Linux: `khugepaged`). Whoever runs the
  /// machine says when; its work is charged to an operation of its own.
  ///
  /// A pass goes through the address spaces in order of process numbers, from where the last one stopped, and looks at
  /// `hugePages.background.pagesPerPass` base pages or until every space was seen.
  /// - Returns: how many huge pages were made.
  @inlinable @inline(never) @discardableResult
  public func collapseInBackground() -> UInt64 {
    guard hugePages.policy != .never, hugePages.background.isOn, hugeSize != .base else { return 0 }
    let mark = meter.enter(.khugepaged)
    defer { meter.leave(mark) }
    let before = hugePageCounts.collapses
    var budget = hugePages.background.pagesPerPass
    while budget > 0, let (space, start) = nextSpaceToCollapse() {
      guard let stop = collapse(space, from: start, &budget) else {
        leaveSpaceToCollapse()
        continue
      }
      collapseCursor.address = stop
    }
    return hugePageCounts.collapses &- before
  }

  /// Looks for huge pages to make in one address space.
  /// - Returns: where the budget ended; nil at the end of the space.
  @inlinable
  func collapse(
    _ space: Space<Database>, from start: VirtualAddress, _ budget: inout UInt64
  ) -> VirtualAddress? {
    if space.layout.disablesHugePages { return nil }
    for area in areas(space, from: start) {
      meter.count(.jobStep)
      guard welcomesHugePages(area), area.flags.contains(.hasPrivatePages) else { continue }
      let low = Swift.max(area.range.start, start)
      var page = VirtualRange(page: low.advanced(by: hugeSize.mask), hugeSize)
      while page.end <= area.range.end {
        if budget == 0 { return page.start }
        _ = collapse(space, page, rights: area.rights, isForced: false)
        budget = budget > page.pages ? budget &- page.pages : 0
        page = VirtualRange(page.end, bytes: hugeSize.bytes)
      }
    }
    return nil
  }

  @usableFromInline func areas(_ space: Space<Database>, from start: VirtualAddress) -> ArraySlice<VMA> {
    space.layout.areas.overlapping(VirtualRange(start, UserSpace.end))
  }

  /// The address space where the job is, and the address to go on from. At the end of all spaces the next pass begins
  /// again with the first.
  @usableFromInline func nextSpaceToCollapse() -> (Space<Database>, VirtualAddress)? {
    meter.count(.jobEntry)
    var seen: [Space<Database>] = []
    for pid in processes.keys.sorted() {
      guard let space = processes[pid]?.space, !seen.contains(where: { $0 === space }) else { continue }
      seen.append(space)
      guard pid >= collapseCursor.pid else { continue }
      if pid > collapseCursor.pid {
        collapseCursor.pid = pid
        collapseCursor.address = VirtualAddress(0)
      }
      return (space, collapseCursor.address)
    }
    collapseCursor = CollapseCursor()
    return nil
  }

  @usableFromInline func leaveSpaceToCollapse() {
    collapseCursor.pid &+= 1
    collapseCursor.address = VirtualAddress(0)
  }
}

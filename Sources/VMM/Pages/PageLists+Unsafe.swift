// SPDX-License-Identifier: MIT
public import SimMemory

/// Which list of a node a page is on.
@frozen public struct PageListID: Sendable, Hashable, BitwiseCopyable {
  /// The list's number within its node.
  public let number: Int

  @inlinable init(number: Int) { self.number = number }

  /// The list of pages of one type in `slot`: 0 inactive and 1 active, or a generation modulo 4.
  @inlinable public init(isAnonymous: Bool, slot: Int) { number = (isAnonymous ? 0 : 4) &+ slot & 3 }

  /// Pages that must stay in memory.
  @inlinable public static var unevictable: Self { Self(number: 8) }
  /// How many lists a node has.
  @inlinable static var count: Int { 9 }
}

/// The pages that reclaim works on, in lists per NUMA node, linked through the frame table: no storage per page.
///
/// A handle; the kernel that made it calls `destroy`.
///
/// SAFETY: `lists` has `PageListID.count` records for each node and `entry` one; both live until `destroy`. One CPU at a
/// time works on them. Only frames that are allocated and flagged `onList` are linked.
@safe @frozen public struct PageLists: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline struct List {
    @usableFromInline var first: UInt32
    @usableFromInline var last: UInt32
    @usableFromInline var count: UInt64
  }
  @usableFromInline let frames: FrameAllocator
  @usableFromInline let lists: UnsafeMutablePointer<List>
  /// The slot that new pages go to.
  @usableFromInline let entry: UnsafeMutablePointer<Int>

  init(_ frames: FrameAllocator) {
    self.frames = frames
    let count = frames.nodeCount * PageListID.count
    unsafe lists = .allocate(capacity: count)
    unsafe lists.initialize(repeating: List(first: 0, last: 0, count: 0), count: count)
    unsafe entry = .allocate(capacity: 1)
    unsafe entry.initialize(to: 0)
  }

  func destroy() {
    unsafe lists.deallocate()
    unsafe entry.deallocate()
  }

  /// The slot that new pages go to.
  var entrySlot: Int {
    get { unsafe entry.pointee }
    nonmutating set { unsafe entry.pointee = newValue }
  }

  /// Puts a page that was just made on its list, with its key.
  @inlinable func admit(_ frame: FrameNumber, _ key: PageKey, _ flags: PageFlags) {
    let slot = unsafe entry.pointee
    frames.table.setWord(key.word, frame)
    frames.table.setFlags(
      flags.rawValue | PageFlags.onList.rawValue | UInt16(truncatingIfNeeded: slot &<< 10), frame)
    link(frame, PageListID(isAnonymous: key.isAnonymous, slot: slot))
  }

  /// Takes a page off its list, if it is on one.
  @inlinable func remove(_ frame: FrameNumber) {
    let flags = PageFlags(rawValue: frames.table.flags(frame))
    guard flags.contains(.onList) else { return }
    unlink(frame, PageLists.list(flags))
    frames.table.setFlags(flags.subtracting(.onList).rawValue, frame)
  }

  /// The list that flags say.
  @inlinable static func list(_ flags: PageFlags) -> PageListID {
    if flags.contains(.mlocked) { return .unevictable }
    return PageListID(
      isAnonymous: flags.contains(.anonymous) && !flags.contains(.lazilyFreed),
      slot: Int(flags.rawValue &>> 10 & 3))
  }

  /// Changes a page's flags and puts it at the front of the list that they say; at the back with `isNext`.
  func move(_ frame: FrameNumber, isNext: Bool = false, _ change: (inout PageFlags) -> Void) {
    var flags = PageFlags(rawValue: frames.table.flags(frame))
    if flags.contains(.onList) { unlink(frame, PageLists.list(flags)) }
    change(&flags)
    flags.insert(.onList)
    frames.table.setFlags(flags.rawValue, frame)
    if isNext { linkLast(frame, PageLists.list(flags)) } else { link(frame, PageLists.list(flags)) }
  }

  /// How many pages are on a list of `node`.
  public func count(_ list: PageListID, node: Int) -> UInt64 {
    unsafe lists[node * PageListID.count + list.number].count
  }

  /// The page that has been on a list of `node` for the longest time.
  func last(_ list: PageListID, node: Int) -> FrameNumber? {
    let last = unsafe lists[node * PageListID.count + list.number].last
    return last == 0 ? nil : FrameNumber(UInt64(last))
  }

  @inlinable func link(_ frame: FrameNumber, _ list: PageListID) {
    let index = frames.node(of: frame) &* PageListID.count &+ list.number
    let first = unsafe lists[index].first
    let number = UInt32(truncatingIfNeeded: frame.raw)
    frames.table.setNext(FrameNumber(UInt64(first)), of: frame)
    frames.table.setPrevious(FrameNumber(0), of: frame)
    if first != 0 {
      frames.table.setPrevious(frame, of: FrameNumber(UInt64(first)))
    } else {
      unsafe lists[index].last = number
    }
    unsafe lists[index].first = number
    unsafe lists[index].count &+= 1
  }

  func linkLast(_ frame: FrameNumber, _ list: PageListID) {
    let index = frames.node(of: frame) &* PageListID.count &+ list.number
    let last = unsafe lists[index].last
    guard last != 0 else { return link(frame, list) }
    frames.table.setNext(FrameNumber(0), of: frame)
    frames.table.setPrevious(FrameNumber(UInt64(last)), of: frame)
    frames.table.setNext(frame, of: FrameNumber(UInt64(last)))
    unsafe lists[index].last = UInt32(truncatingIfNeeded: frame.raw)
    unsafe lists[index].count &+= 1
  }

  @inlinable func unlink(_ frame: FrameNumber, _ list: PageListID) {
    let index = frames.node(of: frame) &* PageListID.count &+ list.number
    let (next, previous) = (frames.table.next(frame), frames.table.previous(frame))
    if previous.raw != 0 {
      frames.table.setNext(next, of: previous)
    } else {
      unsafe lists[index].first = UInt32(truncatingIfNeeded: next.raw)
    }
    if next.raw != 0 {
      frames.table.setPrevious(previous, of: next)
    } else {
      unsafe lists[index].last = UInt32(truncatingIfNeeded: previous.raw)
    }
    unsafe lists[index].count &-= 1
  }
}

extension FrameTable {
  /// What the memory manager notes of a page.
  @inlinable func pageFlags(_ frame: FrameNumber) -> PageFlags { PageFlags(rawValue: flags(frame)) }

  /// Sets bits of a page that do not say which list it is on.
  @inlinable func mark(_ flags: PageFlags, _ frame: FrameNumber) {
    setFlags(pageFlags(frame).union(flags).rawValue, frame)
  }

  /// Clears bits of a page that do not say which list it is on.
  @inlinable func unmark(_ flags: PageFlags, _ frame: FrameNumber) {
    setFlags(pageFlags(frame).subtracting(flags).rawValue, frame)
  }
}

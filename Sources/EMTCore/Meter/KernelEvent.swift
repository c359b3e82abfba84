// SPDX-License-Identifier: MIT

/// A primitive piece of kernel work. The meter counts these; a calibrated cost table turns them into instructions.
@frozen public enum KernelEvent: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// A page fault was entered and left.
  case faultEntry
  /// A system call was entered and left.
  case systemCallEntry
  /// The VMA that holds an address was looked up.
  case vmaLookup
  /// A VMA was inserted, removed, split, merged or resized.
  case vmaChange
  /// A VMA was copied into the layout of a child.
  case vmaCopied
  /// A VMA was visited by a range operation.
  case vmaStep
  /// One step of a search for the VMA that holds an address, when it was not the one that was found last.
  case vmaSearchStep
  /// A VMA behind a changed one moved in the layout.
  case vmaMoved
  /// The VMAs of a range were gathered in a list.
  case vmaGathered
  /// One search of a database for an address.
  case lookup
  /// One translation object was inserted, replaced or removed.
  case entryWrite
  /// One translation object larger than a base page was inserted, replaced or removed.
  case hugeEntryWrite
  /// One piece of a translation was written because the translation was split.
  case pieceWritten
  /// One base page gave way to a huge page with the contents of all of them.
  case pageCollapsed
  /// One object was visited by an iterator.
  case iteratorStep
  /// A range operation of a driver was called.
  case rangeCall
  /// One mapped object was handled inside a range operation of a driver.
  case rangeEntry
  /// One group of entries (a node, a cluster) was visited by a range operation of a driver.
  case rangeGroup
  /// One entry was looked at by a range operation of a driver, whether it held anything or not.
  case entryRead
  /// A driver answered for many entries from what it knows of them together.
  case summaryRead
  /// A driver looked in one place for table memory that can be given back.
  case tableTrim
  /// A probe beyond the first one of a search.
  case extraProbe
  /// A group of entries was made, in a table that has entries in groups.
  case groupMade
  /// A group of entries was given up, because nothing was mapped in it any more.
  case groupFreed
  /// A group of entries moved to another place.
  case clusterMove
  /// A frame was given to, and cleared for, a table.
  case tableFrame
  /// A table's frame was given back.
  case tableFrameFreed
  /// One frame of a block that a table takes or gives back was looked at.
  case tableFrameChecked
  /// A lock was taken and released.
  case lock
  /// Another try for a lock that somebody held.
  case lockWait
  /// One TLB invalidation was sent to one CPU.
  case invalidation
  /// The address space of a CPU was switched.
  case spaceSwitch
  /// An address space was made, or given back.
  case spaceChange
  /// A frame for page contents was taken.
  case frameAllocated
  /// A frame of page contents was given back.
  case frameFreed
  /// A block of several frames for page contents was taken.
  case blockAllocated
  /// A block of several frames of page contents was given back.
  case blockFreed
  /// One frame of a block, which several translations share out, was counted by itself.
  case blockFrame
  /// A page was looked up in a file's page cache.
  case pageCache
  /// A page was added to or removed from a file's page cache.
  case pageCacheChange
  /// A page that was mapped gave way to another one at the same address.
  case pageReplaced
  /// References of a page were counted up or down.
  case pageCount
  /// A background job began, or went on to the next address space.
  case jobEntry
  /// A background job went on to the next list or VMA.
  case jobStep
  /// Reclaim looked at a page.
  case pageScanned
  /// An address space or an area was searched for translations of a page.
  case reverseMapStep
  /// A slot of swap was taken or given up by a page or by a translation, or was looked up.
  case swapSlot
  /// A page's contents were cleared: content work, not kernel work.
  case contentZeroed
  /// A page's contents were copied: content work, not kernel work.
  case contentCopied
  /// A page's contents went to or came from storage: content work.
  case swapTransfer
  /// A flush had to interrupt other CPUs. The memory manager counts none while one CPU is alone.
  case shootdown
  /// One other CPU was interrupted by a shootdown.
  case interrupt

  /// How many kinds there are.
  @inlinable public static var count: Int { 52 }

  /// Whether the event's cost is reported apart as content work.
  public var isContentWork: Bool {
    switch self {
    case .contentZeroed, .contentCopied, .swapTransfer: true
    default: false
    }
  }
}

/// What the kernel is doing, as the profiler divides its work. EMT artifact: the flame-graph categories.
@frozen public enum KernelOperation: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// Serving a page fault.
  case pageFault
  /// Serving a system call.
  case systemCall
  /// Collapsing huge pages in the background.
  case khugepaged
  /// Reclaiming memory in the background.
  case reclaim
  /// Merging equal pages in the background.
  case ksmd
  /// Everything else: booting, making and ending processes on behalf of the simulator, switching.
  case other
}

/// The part of an operation that is being executed.
@frozen public enum KernelPhase: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// Entry, checks, VMA work: whatever is not one of the others.
  case policy
  /// Deciding about page sizes.
  case hugePageCheck
  /// Getting the page: a frame, the page cache, swap.
  case pageSupply
  /// Changing translations one by one.
  case translation
  /// Changing translations in ranges.
  case rangeOperation
  /// Telling TLBs.
  case flush
}

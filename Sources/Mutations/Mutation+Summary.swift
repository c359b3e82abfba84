// SPDX-License-Identifier: MIT

extension Mutation {
  /// What is wrong where the bug is planted, in one sentence.
  public var summary: String {
    switch self {
    case .usedFrameNotNoted:
      "The last frame of a block that was written is not noted as used, so its next holder finds the old bytes."
    case .blockCountedShort:
      "A block that is given back counts as one free frame too few."
    case .flushSpanKeepsLast:
      "A sum of flushes remembers only the change that came last."
    case .settleDropsRanges:
      "Settling pays for single pages only: what is owed for a range is dropped."
    case .batchDropsFlush:
      "The flushes that a batch collected are not sent when it ends."
    case .shootdownForgetsCPU:
      "A flush reaches all CPUs that run on the address space but the first of several."
    case .absentCPUNotMarked:
      "A CPU that is away from the address space is not told that it missed a flush."
    case .mailboxOverflowForgotten:
      "Requests that do not fit into a full mailbox are lost."
    case .iterationSkipsAfterVoid:
      "The cursor moves one page too far behind a void."
    case .countIgnoresEdges:
      "A huge page over an edge of the range counts with all of its pages."
    case .removalOwesNothing:
      "What the removal of each page owes is taken as paid."
    case .copySkipsSwapped:
      "Pages that are not in memory are not copied into the target."
    case .hardwareBitsLost:
      "Accessed and dirty bits that hardware sets between a find and the update after it are overwritten."
    case .refusedCollapseLosesPage:
      "After a refused collapse all but the first of the old pages come back."
    case .runRepeatsFrame:
      "All pages of a run get the first one's frame."
    case .writerSharesLock:
      "A writer takes the database's lock as one of its readers."
    case .dirtyTestOwesNothing:
      "Clearing a dirty bit owes no flush, so a TLB goes on without setting it again."
    case .swapEntryLosesSoftDirty:
      "The soft-dirty bit does not travel along when a page becomes a swap entry."
    case .leafCountForgotten:
      "A page that is removed alone still counts in its node."
    case .movedLeafKeepsParent:
      "A leaf node that moved still counts for the node that it hung below before."
    case .movedLeafNotAnnounced:
      "Iterators and objects that know a place in a leaf node are not made stale when it moves."
    case .moveLosesDirty:
      "A page that moves alone arrives without its dirty bit."
    case .copyLeavesWritable:
      "A page that is shared copy-on-write stays writable in the source."
    case .copyOwesNothing:
      "Write-protecting the source's pages owes no flush."
    case .splitLosesNoExecute:
      "The pieces of a huge page become executable."
    case .emptyNodeLeaked:
      "A node that holds nothing is unlinked but never given back."
    case .countMissesLastPage:
      "A full leaf node counts as one page less."
    case .kernelHalfNotShared:
      "A new root does not get the kernel's entries."
    case .writerIgnoresReaders:
      "A writer of a region waits for other writers but not for readers."
    case .voidTooLarge:
      "A hole beside mapped pages is said to reach over them."
    case .flattenedBlockUnclean:
      "A flattened node is given back as clean although entries were left in it."
    case .summaryForgotten:
      "The first base page of a 2 MiB is not noted in the summary of its 1 GiB."
    case .moveNotAnnounced:
      "Neither walkers nor holders of places are told that a cluster moves."
    case .structureLockNotTaken:
      "Clusters are added, moved and freed without the structure lock."
    case .lockWordByPage:
      "Overlapping small ranges get different lock words unless they start at the same page."
    case .clusterCopyLeavesWritable:
      "Clusters that are shared copy-on-write stay writable in the source."
    case .clusterMoveLeavesOld:
      "A piece that moves stays mapped where it was."
    case .groupMissesLast:
      "A part of a 2 MiB counts without its last mapped page."
    case .kickDropsCluster:
      "A kick empties the slot of a cluster that was not copied to its new place."
    case .chainStopsEarly:
      "A chain of kicks ends after one move, and the new cluster overwrites one that has not moved."
    case .migrationPointerAhead:
      "The migration pointer ends one index behind what was migrated."
    case .shrinkOverwrites:
      "When a way shrinks, the second of two clusters for one slot is not kicked elsewhere."
    case .tagPieceNotCompared:
      "The first piece of a tag is not compared, so neighbouring clusters are taken for each other."
    case .stashNotSearched:
      "Clusters in the stash are not found."
    case .gapClosedEarly:
      "The slot of a cluster that goes becomes void although searches for others pass it."
    case .liveClusterOverwritten:
      "A new cluster takes its home slot even if another one lives there."
    case .resizeSkipsCluster:
      "A step of a resize leaves out the slot where the next one should begin."
    case .nextArrayNotSearched:
      "While a table is resized only one of its arrays is searched."
    case .noExecuteIgnored:
      "An instruction fetch does not need the right to execute."
    case .storeLeavesClean:
      "A store through a clean TLB entry does not set the dirty bit in memory."
    case .walkCachesKept:
      "A flush of a range empties TLBs but not walk caches."
    case .largeEntriesKept:
      "A flush of a range forgets the TLB entries of base pages only."
    case .walkerSearchesOneArray:
      "The hashed walker looks into one array only while a table is resized."
    case .walkerPointerOffByOne:
      "The elastic-cuckoo walker takes the migration pointer's own index as migrated."
    case .zeroPageWritable:
      "The shared page of zeroes is mapped writable."
    case .copyOnWriteTakesShared:
      "A page that one other process still has becomes writable where it is."
    case .copyOnWriteTakesFilePage:
      "A private mapping writes to the page cache's page if nobody else maps it."
    case .copyOnWriteCopiesNothing:
      "The process's own page is fresh instead of a copy."
    case .failedFaultLeaksFrame:
      "The frame is lost when memory for tables runs out."
    case .neighboursWritable:
      "File pages that are mapped around a fault can be written, in private mappings too."
    case .stackGapIgnored:
      "A stack grows up to the mapping below it."
    case .forkLeavesWritable:
      "Parent and child both keep private pages writable."
    case .forkForgetsFlush:
      "The parent's TLB entries survive a fork."
    case .forkForgetsGuards:
      "The child does not get the guards of its parent."
    case .forkKeepsWiped:
      "The child gets the contents of areas that it should find empty."
    case .failedForkLeaks:
      "What the child of a failed fork has already is not given back."
    case .spaceNumberReusedWarm:
      "The next address space with the same number inherits what TLBs know of this one."
    case .unmapLeavesLastPage:
      "The last page of an unmapped area stays translated."
    case .areasJoinAnywhere:
      "Areas become one although their places in the file do not go on."
    case .cutKeepsOffset:
      "The second part of an area that is cut begins at the first one's place in the file."
    case .fixedNoReplaceReplaces:
      "MAP_FIXED_NOREPLACE replaces what is there."
    case .protectsWholeArea:
      "All of an area gets new rights, not only the part that was asked for."
    case .protectsLayoutOnly:
      "Rights change in the layout but not in the translations."
    case .protectDropsUserfault:
      "New rights end the write protection of a userfaultfd."
    case .sealIgnored:
      "Rights of sealed areas can be changed."
    case .remapLeavesOld:
      "The old mapping stays, empty, as if MREMAP_DONTUNMAP had been asked for."
    case .dontNeedKeepsContents:
      "MADV_DONTNEED leaves pages and their contents."
    case .mincoreOffByOne:
      "The last page of the range may be a hole."
    case .syncLosesDirty:
      "The dirty bit is cleared in the translation and not noted for the page."
    case .breakOverLimit:
      "The heap grows over RLIMIT_DATA."
    case .lockLimitIgnored:
      "More memory than RLIMIT_MEMLOCK allows can be locked."
    case .promiseNotTakenBack:
      "Memory that was promised to an area stays promised when the area goes."
    case .truncateLeavesMapped:
      "Pages behind the new end of a file stay mapped."
    case .truncateLeavesTail:
      "The rest of the last page keeps its bytes behind the new end of a file."
    case .splitMiscountsLast:
      "The last frame of a huge page that is split counts as unmapped."
    case .collapseLosesLast:
      "The last base page's contents are not copied into the huge page."
    case .pooledCopyTooShort:
      "Of a pooled huge page only the first base page is copied."
    case .pooledPageUnclean:
      "Of a pooled huge page only the first base page is cleared for its next owner."
    case .reservationLeaked:
      "Promises of huge pages to a private mapping outlive it."
    case .slotUserNotCounted:
      "A swap slot that parent and child need is free when the first of them is done."
    case .sharedSlotWritable:
      "A page that comes back for a store is writable although others need the same slot."
    case .swapInLosesSoftDirty:
      "A page that was soft-dirty in swap comes back without the bit."
    case .reclaimMissesMapper:
      "Reclaim is content when one translation of a shared page is left."
    case .reclaimLosesDirty:
      "Reclaim forgets that a translation's page was written, so the page is not saved."
    case .lazilyFreedLost:
      "A page that was written again after MADV_FREE is dropped."
    case .lockedPageReclaimed:
      "Reclaim takes pages of locked memory."
    case .mergedPageWritable:
      "A page that is to be shared by merging can still be written in place."
    case .migrationLosesDirty:
      "A page that moves to another node arrives as if nobody had written it."
    case .softDirtyStaysWritable:
      "Pages stay writable when soft-dirty bits are cleared, so the next store is not seen."
    }
  }
}

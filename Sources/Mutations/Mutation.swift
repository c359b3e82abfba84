// SPDX-License-Identifier: MIT

/// A bug that a programmer could have made, planted in the product so that the conformance suite can show that it would be
/// seen.
///
/// All of them are compiled into one build behind the package trait `Mutations`, and at most one is in force, chosen when a
/// run starts. Without the trait none of them is in the product: `isPlanted` is the constant false then, and the compiler
/// drops what it guards. Each case says where its bug is, and `summary` what is wrong. `Docs/Mutations.md` lists them.
@frozen public enum Mutation: UInt8, CaseIterable, Sendable {
  // MARK: Memory and the contract's defaults

  /// In `FrameAllocator.markUsed`.
  case usedFrameNotNoted = 1
  /// In `FrameAllocator.free(_:order:)`.
  case blockCountedShort
  /// In `FlushSpan.add`.
  case flushSpanKeepsLast
  /// In `TranslationFlushing.settle`.
  case settleDropsRanges
  /// In `TranslationFlushing.batch`.
  case batchDropsFlush
  /// In `TranslationFlushing.send`.
  case shootdownForgetsCPU
  /// In `TranslationFlushing.send`.
  case absentCPUNotMarked
  /// In `InvalidationMailbox.post`.
  case mailboxOverflowForgotten
  /// In default iteration.
  case iterationSkipsAfterVoid
  /// In default `countMapped`.
  case countIgnoresEdges
  /// In default `removeAll`.
  case removalOwesNothing
  /// In default `copy`.
  case copySkipsSwapped
  /// In default `setProtection`, `copy`, `move`.
  case hardwareBitsLost
  /// In default `collapse`.
  case refusedCollapseLosesPage
  /// In `copy(of:movedBy:)`.
  case runRepeatsFrame
  /// In default `lockForWriting`.
  case writerSharesLock

  // MARK: Drivers

  /// In `X86InPlaceTranslation.testAndClearDirty`.
  case dirtyTestOwesNothing
  /// In `X86Object.setSwap`.
  case swapEntryLosesSoftDirty
  /// In `RadixTree.takeOut`.
  case leafCountForgotten
  /// In `RadixTree.moveLeaf`.
  case movedLeafKeepsParent
  /// In `RadixTree.moveLeaf`.
  case movedLeafNotAnnounced
  /// In `RadixTree.move`.
  case moveLosesDirty
  /// In `RadixTree.copy`.
  case copyLeavesWritable
  /// In `RadixTree.copy`.
  case copyOwesNothing
  /// In `RadixTree.split`.
  case splitLosesNoExecute
  /// In `RadixTree.prune`.
  case emptyNodeLeaked
  /// In `RadixTree.count`.
  case countMissesLastPage
  /// In `RadixTreeService.makeDatabase`.
  case kernelHalfNotShared
  /// In `RadixTree.lockForWriting`.
  case writerIgnoresReaders
  /// In `RadixTree.find`.
  case voidTooLarge
  /// In `RadixTree.freeFlattened`.
  case flattenedBlockUnclean
  /// In `ClusterTable.tally`.
  case summaryForgotten
  /// In `ClusterTable.announceMove`.
  case moveNotAnnounced
  /// In `ClusterTable.alone`.
  case structureLockNotTaken
  /// In `ClusterTable.rangeLock`.
  case lockWordByPage
  /// In `ClusterTable.copy`.
  case clusterCopyLeavesWritable
  /// In `ClusterTable.relocate`.
  case clusterMoveLeavesOld
  /// In `ClusterTable.mapped`.
  case groupMissesLast
  /// In `ECPTDatabase.move`.
  case kickDropsCluster
  /// In `ECPTDatabase.vacate`.
  case chainStopsEarly
  /// In `ECPTDatabase.migrate`.
  case migrationPointerAhead
  /// In `ECPTDatabase.migrate`.
  case shrinkOverwrites
  /// In `ECPTDatabase.hasTag`.
  case tagPieceNotCompared
  /// In `ECPTDatabase.stashed`.
  case stashNotSearched
  /// In `HashedDatabase.closeGap`.
  case gapClosedEarly
  /// In `HashedDatabase.freeSlot`.
  case liveClusterOverwritten
  /// In `HashedDatabase.stepResizing`.
  case resizeSkipsCluster
  /// In `HashedDatabase.slot(of:)`.
  case nextArrayNotSearched

  // MARK: Translation hardware

  /// In `Translation.required`.
  case noExecuteIgnored
  /// In `Translation.required`.
  case storeLeavesClean
  /// In `MMU.invalidate`.
  case walkCachesKept
  /// In `TLBLevel.invalidate`.
  case largeEntriesKept
  /// In `HashedWalker.find`.
  case walkerSearchesOneArray
  /// In `ECPTWalker.slot`.
  case walkerPointerOffByOne

  // MARK: The memory manager

  /// In `Kernel.mapZeroPage`.
  case zeroPageWritable
  /// In `Kernel.copyOnWrite`.
  case copyOnWriteTakesShared
  /// In `Kernel.copyOnWrite`.
  case copyOnWriteTakesFilePage
  /// In `Kernel.copyOnWrite`.
  case copyOnWriteCopiesNothing
  /// In `Kernel.mapOwnPage`.
  case failedFaultLeaksFrame
  /// In `Kernel.mapAround`.
  case neighboursWritable
  /// In `Kernel.growStack`.
  case stackGapIgnored
  /// In `Kernel.copyTranslations`.
  case forkLeavesWritable
  /// In `Kernel.copyTranslations`.
  case forkForgetsFlush
  /// In `Kernel.copyTranslations`.
  case forkForgetsGuards
  /// In `Kernel.needsCopy`.
  case forkKeepsWiped
  /// In `Kernel.fork`.
  case failedForkLeaks
  /// In `Kernel.destroy`.
  case spaceNumberReusedWarm
  /// In `Kernel.zap`.
  case unmapLeavesLastPage
  /// In `VMA.joins`.
  case areasJoinAnywhere
  /// In `VMA.cut`.
  case cutKeepsOffset
  /// In `mmap`.
  case fixedNoReplaceReplaces
  /// In `mprotect`.
  case protectsWholeArea
  /// In `mprotect`.
  case protectsLayoutOnly
  /// In `mprotect`.
  case protectDropsUserfault
  /// In `mprotect`.
  case sealIgnored
  /// In `mremap`.
  case remapLeavesOld
  /// In `madvise`.
  case dontNeedKeepsContents
  /// In `mincore`.
  case mincoreOffByOne
  /// In `msync`.
  case syncLosesDirty
  /// In `brk`.
  case breakOverLimit
  /// In `mlock`.
  case lockLimitIgnored
  /// In `Kernel.drop`.
  case promiseNotTakenBack
  /// In `Kernel.setSize`.
  case truncateLeavesMapped
  /// In `Kernel.setSize`.
  case truncateLeavesTail
  /// In `FrameAllocator.cutBlock`.
  case splitMiscountsLast
  /// In `Kernel.replaceByHuge`.
  case collapseLosesLast
  /// In `Kernel.copyHugePage`.
  case pooledCopyTooShort
  /// In `Kernel.clearHugePage`.
  case pooledPageUnclean
  /// In `Kernel.dropReservations`.
  case reservationLeaked
  /// In `Kernel.copied(swapped:)`.
  case slotUserNotCounted
  /// In `Kernel.swapIn`.
  case sharedSlotWritable
  /// In `Kernel.replace`.
  case swapInLosesSoftDirty
  /// In `Kernel.unmapToSwap`.
  case reclaimMissesMapper
  /// In `Kernel.noteUnmapped`.
  case reclaimLosesDirty
  /// In `Kernel.unmapLazilyFreed`.
  case lazilyFreedLost
  /// In `Kernel.measureUse`, `Kernel.unmapToSwap`.
  case lockedPageReclaimed
  /// In `Kernel.protectForMerging`.
  case mergedPageWritable
  /// In `Kernel.beginMigration`, `Kernel.restore`.
  case migrationLosesDirty
  /// In `Kernel.clearReferences`.
  case softDirtyStaysWritable
}

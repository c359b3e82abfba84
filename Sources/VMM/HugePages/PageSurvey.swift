// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// What a look at the base pages of a would-be huge page found.
@usableFromInline struct PageSurvey {
  /// Base pages with contents in memory that are not the shared page of zeroes.
  @usableFromInline var filled: UInt64 = 0
  /// Base pages that read from the shared page of zeroes.
  @usableFromInline var zero: UInt64 = 0
  /// Filled base pages that somebody else maps too.
  @usableFromInline var shared: UInt64 = 0
  /// Base pages whose contents are elsewhere.
  @usableFromInline var away: UInt64 = 0
  /// Whether the hardware used any of the pages lately.
  @usableFromInline var isReferenced = false
  /// Whether a userfaultfd write-protects any of them.
  @usableFromInline var isWatched = false
  /// Whether there is a huge page already.
  @usableFromInline var isHuge = false

  @inlinable init() {}

  /// Whether nothing is recorded there at all.
  @inlinable var isVoid: Bool { filled == 0 && zero == 0 && away == 0 && !isHuge }
}

/// How an attempt to make a huge page of base pages ended.
@usableFromInline enum CollapseOutcome {
  /// There is a huge page now.
  case done
  /// There was one before.
  case wasHuge
  /// Nothing was mapped.
  case wasVoid
  /// The base pages do not meet the job's limits.
  case refused
  /// Pages that are elsewhere could not be brought back, or have no contents (guard pages).
  case unreachable
  /// No block was free.
  case noBlock
  /// There was no memory for tables.
  case noTable
}

extension Kernel {
  /// Looks at every object in `page`. The caller holds the lock.
  @inlinable func survey(_ space: Space<Database>, _ page: VirtualRange) -> PageSurvey {
    let mark = meter.enter(.hugePageCheck)
    defer { meter.leave(mark) }
    let (database, table) = (space.database, platform.frames.table)
    var survey = PageSurvey()
    var iterator = database.makeIterator(over: page)
    while let object = database.nextMapped(&iterator) {
      if object.size != .base {
        survey.isHuge = true
        break
      }
      survey.isWatched = survey.isWatched || object.isUserfaultWriteProtected
      guard object.isPresent else {
        survey.away &+= 1
        continue
      }
      survey.isReferenced = survey.isReferenced || object.isAccessed
      if object.isSpecial {
        survey.zero &+= 1
      } else {
        survey.filled &+= 1
        if table.mappings(object.frame) > 1 { survey.shared &+= 1 }
      }
    }
    database.endIteration(iterator)
    return survey
  }

  /// Whether the background job may make a huge page of what was found.
  @inlinable func isWithinLimits(_ survey: PageSurvey) -> Bool {
    let limits = hugePages.background
    return hugeSize.basePages &- survey.filled &- survey.away <= limits.maximumEmpty
      && survey.shared <= limits.maximumShared && survey.away <= limits.maximumSwapped
      && survey.isReferenced
  }

  /// Clears the parts of `block` that no base page of `page` will fill. The caller holds the lock.
  /// - Returns: the frames that will fill the others.
  @inlinable @inline(never)
  func clearHoles(_ space: Space<Database>, _ page: VirtualRange, of block: FrameNumber) -> [FrameNumber] {
    let database = space.database
    var frames: [FrameNumber] = []
    var next: UInt64 = 0
    var iterator = database.makeIterator(over: page)
    while let object = database.nextMapped(&iterator) {
      guard object.isPresent, !object.isSpecial else { continue }
      let position = object.start.pageNumber &- page.start.pageNumber
      clear(block.advanced(by: next), frames: position &- next)
      next = position &+ 1
      frames.append(object.frame)
    }
    database.endIteration(iterator)
    clear(block.advanced(by: next), frames: page.pages &- next)
    return frames
  }

  @inlinable func clear(_ frame: FrameNumber, frames: UInt64) {
    guard frames != 0 else { return }
    _ = platform.frames.clearBlock(frame, frames: frames)
    meter.count(.contentZeroed, frames)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

/// What reclaim found out about a page's use.
@usableFromInline struct PageUse {
  /// Translations that were used since the last look.
  @usableFromInline var translations = 0
  @usableFromInline var isExecutable = false
  @usableFromInline var isLocked = false
  @usableFromInline init() {}
}

// Going through the pages of one list, oldest first.
extension Kernel {
  /// Pages that are looked at together, so that their flushes are one.
  @inlinable var batchSize: UInt64 { 32 }

  /// Looks at the `count` oldest pages of a list and frees those that are not in use, until `goal` are free.
  /// - Returns: how many were freed; up to a batch more than the goal.
  @inlinable
  func shrink(_ list: PageListID, node: Int, count: UInt64, goal: UInt64, ignoringUse: Bool) -> UInt64 {
    var left = count
    var freed: UInt64 = 0
    while left > 0, freed < goal {
      let batch = isolate(list, node: node, count: Swift.min(left, batchSize))
      if batch.isEmpty { break }
      left &-= UInt64(batch.count)
      freed &+= evict(batch, ignoringUse: ignoringUse)
    }
    return freed
  }

  /// Takes pages that are on no list: unmaps them all, then saves and frees them. What stays goes back to a list.
  /// - Returns: how many were freed.
  @inlinable func evict(_ batch: [FrameNumber], ignoringUse: Bool) -> UInt64 {
    var unmapped: [FrameNumber] = []
    if let first = batch.first, let space = firstSpace(of: first) {
      // Most pages of a batch belong to one space, whose flushes are collected; others flush at once.
      space.database.batch { unmapped = unmapAll(batch, ignoringUse: ignoringUse) }
    } else {
      unmapped = unmapAll(batch, ignoringUse: ignoringUse)
    }
    return takeAll(unmapped)
  }

  @inlinable func unmapAll(_ batch: [FrameNumber], ignoringUse: Bool) -> [FrameNumber] {
    var unmapped: [FrameNumber] = []
    for frame in batch {
      let use = measureUse(of: frame)
      if use.isLocked {
        putBack(frame, as: .locked)
      } else if !ignoringUse, let place = secondChance(frame, use) {
        putBack(frame, as: place)
      } else {
        switch unmapForReclaim(frame) {
        case .done: unmapped.append(frame)
        case .refused: putBack(frame, as: .again)
        case .locked: putBack(frame, as: .locked)
        }
      }
    }
    return unmapped
  }

  /// Asks every translation of a page whether it was used, and makes it forget that.
  @inlinable func measureUse(of frame: FrameNumber) -> PageUse {
    var use = PageUse()
    meter.count(.pageScanned)
    forEachTranslation(of: frame) { space, area, object in
      if area.flags.contains(.locked), !Mutation.lockedPageReclaimed.isPlanted {
        use.isLocked = true
        return false
      }
      if object.isExecutable { use.isExecutable = true }
      do {
        // What is read in order only once does not count as in use.
        if try space.database.testAndClearAccessed(at: object.start), !area.flags.contains(.sequential) {
          use.translations += 1
        }
      } catch { preconditionFailure("a translation that was just seen is gone") }
      return true
    }
    return use
  }

  @usableFromInline func firstSpace(of frame: FrameNumber) -> Space<Database>? {
    let key = PageKey(word: platform.frames.table.word(frame))
    guard let member = mappers(of: key).members.first else { return nil }
    return spaceCell.value[Int(member.space)]
  }

  /// Takes the oldest pages off a list.
  @usableFromInline
  func isolate(_ list: PageListID, node: Int, count: UInt64) -> [FrameNumber] {
    var batch: [FrameNumber] = []
    while UInt64(batch.count) < count, let frame = pageLists.last(list, node: node) {
      pageLists.remove(frame)
      batch.append(frame)
    }
    reclaimCell.value.counts.scanned += UInt64(batch.count)
    return batch
  }

  @usableFromInline func takeAll(_ unmapped: [FrameNumber]) -> UInt64 {
    let mark = meter.enter(.pageSupply)
    defer { meter.leave(mark) }
    var freed: UInt64 = 0
    for frame in unmapped {
      if takeContents(frame) { freed += 1 } else { putBack(frame, as: .again) }
    }
    return freed
  }

  /// Where a page goes that stays in memory.
  @usableFromInline enum Destination { case locked, again, noted, active }

  /// Whether a page that was used gets another chance, by Linux's rule: once used, it is noted; used by several, or
  /// again, or as code, it becomes active.
  @usableFromInline func secondChance(_ frame: FrameNumber, _ use: PageUse) -> Destination? {
    guard use.translations > 0 else { return nil }
    let flags = platform.frames.table.pageFlags(frame)
    if flags.contains(.lazilyFreed) { return nil }
    if reclaimCell.value.policy == .generations { return .active }
    let isCode = use.isExecutable && !flags.contains(.anonymous)
    return flags.contains(.referenced) || use.translations > 1 || isCode ? .active : .noted
  }

  @usableFromInline func putBack(_ frame: FrameNumber, as place: Destination) {
    let isByGeneration = reclaimCell.value.policy == .generations
    let youngest = reclaimCell.value.youngest
    pageLists.move(frame) { flags in
      switch place {
      case .locked: flags.insert(.mlocked)
      case .again: flags.remove(.referenced)
      case .noted: flags.insert(.referenced)
      case .active:
        flags.remove(.referenced)
        if isByGeneration {
          flags.setSlot(youngest & 3)
        } else {
          flags.insert(.active)
          flags.setSlot(1)
        }
      }
    }
    switch place {
    case .locked: reclaimCell.value.counts.locked += 1
    case .active:
      reclaimCell.value.counts.activated += 1
      let isAnonymous = platform.frames.table.pageFlags(frame).contains(.anonymous)
      reclaimCell.value.charge(isAnonymous: isAnonymous, 1)
    case .again, .noted: break
    }
  }

  /// Moves the oldest active pages to the inactive list while that is too short: a page that is used there comes back.
  /// Code of files in use stays.
  @inlinable func deactivate(isAnonymous: Bool, node: Int, count: UInt64) {
    for frame in isolate(PageListID(isAnonymous: isAnonymous, slot: 1), node: node, count: count) {
      let use = measureUse(of: frame)
      let stays = use.translations > 0 && use.isExecutable && !isAnonymous
      putBack(frame, stays: stays && !use.isLocked)
    }
  }

  @usableFromInline func putBack(_ frame: FrameNumber, stays: Bool) {
    pageLists.move(frame) { flags in
      guard !stays else { return }
      flags.subtract([.active, .referenced])
      flags.setSlot(0)
    }
  }
}

extension PageFlags {
  /// Sets the number of the page's list among those of its type.
  mutating func setSlot(_ slot: Int) {
    self = PageFlags(rawValue: rawValue & ~PageFlags.slotMask.rawValue | UInt16(slot & 3) << 10)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// The policy `.generations`, after Linux's multi-generational LRU: every page is in one of up to four generations per
// type. New pages join the youngest. Aging walks the translations of all address spaces, once, instead of asking each
// page's translations: pages in use join a new generation. Reclaim empties the oldest one.
extension Kernel {
  /// How pages are chosen. Changing it keeps the order of pages as far as the other policy can express it.
  public var reclaimPolicy: ReclaimPolicy {
    get { reclaimCell.value.policy }
    set {
      guard newValue != reclaimCell.value.policy else { return }
      reclaimCell.value.policy = newValue
      // In both, slot 0 is looked at before slot 1.
      reclaimCell.value.youngest = 1
      reclaimCell.value.oldest = (0, 0)
      for node in 0..<platform.frames.nodeCount {
        for isAnonymous in [true, false] {
          for slot in 0..<4 { regroup(isAnonymous, slot, node: node) }
        }
      }
      pageLists.entrySlot = newValue == .generations ? 1 : 0
    }
  }

  private func regroup(_ isAnonymous: Bool, _ slot: Int, node: Int) {
    let list = PageListID(isAnonymous: isAnonymous, slot: slot)
    let isActive = slot > 0 && reclaimCell.value.policy == .activeInactive
    for _ in 0..<pageLists.count(list, node: node) {
      guard let frame = pageLists.last(list, node: node) else { return }
      pageLists.move(frame) { flags in
        flags.setSlot(min(slot, 1))
        if isActive { flags.insert(.active) } else { flags.remove(.active) }
      }
    }
  }

  /// Looks at a part of the oldest generation.
  @inlinable func shrinkOldest(node: Int, shift: UInt64, goal: UInt64, ignoringUse: Bool) -> UInt64 {
    guard let choice = chooseOldest(node: node) else { return 0 }
    if choice.needsAging { age() }
    let size = pageLists.count(choice.list, node: node)
    return shrink(
      choice.list, node: node, count: Swift.max(size &>> shift, Swift.min(size, batchSize)), goal: goal,
      ignoringUse: ignoringUse)
  }

  /// Which list is to be looked at: that of the type whose oldest generation is older, files first. Empty generations
  /// are passed by.
  @usableFromInline func chooseOldest(node: Int) -> (list: PageListID, needsAging: Bool)? {
    skipEmpty(isAnonymous: true, node: node)
    skipEmpty(isAnonymous: false, node: node)
    let state = reclaimCell.value
    func size(_ isAnonymous: Bool) -> UInt64 {
      let oldest = isAnonymous ? state.oldest.anonymous : state.oldest.file
      return pageLists.count(PageListID(isAnonymous: isAnonymous, slot: oldest & 3), node: node)
    }
    let mayTakeAnonymous = canSwap && size(true) > 0
    let mayTakeFile = size(false) > 0
    guard mayTakeAnonymous || mayTakeFile else { return nil }
    let isAnonymous = !mayTakeFile || mayTakeAnonymous && state.oldest.anonymous < state.oldest.file
    let oldest = isAnonymous ? state.oldest.anonymous : state.oldest.file
    return (PageListID(isAnonymous: isAnonymous, slot: oldest & 3), state.youngest - oldest < 2)
  }

  /// Makes the next generation the oldest one while the oldest is empty on every node.
  private func skipEmpty(isAnonymous: Bool, node: Int) {
    while true {
      let oldest = isAnonymous ? reclaimCell.value.oldest.anonymous : reclaimCell.value.oldest.file
      let list = PageListID(isAnonymous: isAnonymous, slot: oldest & 3)
      guard oldest < reclaimCell.value.youngest,
        (0..<platform.frames.nodeCount).allSatisfy({ pageLists.count(list, node: $0) == 0 })
      else { return }
      if isAnonymous {
        reclaimCell.value.oldest.anonymous += 1
      } else {
        reclaimCell.value.oldest.file += 1
      }
    }
  }

  /// Makes a new generation of the pages that were used since the last time.
  @inlinable @inline(never) func age() {
    guard beginGeneration() else { return }
    for space in spaceCell.value {
      guard let space else { continue }
      let database = space.database
      for area in space.layout.areas.areas {
        var iterator = database.makeIterator(over: area.range)
        while let object = database.nextMapped(&iterator) {
          guard object.isPresent, !object.isSpecial, object.isAccessed else { continue }
          do { _ = try database.testAndClearAccessed(at: object.start) } catch {
            preconditionFailure("a translation that was just seen is gone")
          }
          rejuvenate(object.frame)
        }
        database.endIteration(iterator)
      }
    }
  }

  /// Numbers a new generation; the pages of one that would have the same slot join the next older one.
  @usableFromInline func beginGeneration() -> Bool {
    let youngest = reclaimCell.value.youngest + 1
    for isAnonymous in [true, false] {
      let oldest = isAnonymous ? reclaimCell.value.oldest.anonymous : reclaimCell.value.oldest.file
      guard youngest - oldest > 3 else { continue }
      for node in 0..<platform.frames.nodeCount {
        let list = PageListID(isAnonymous: isAnonymous, slot: oldest & 3)
        while let frame = pageLists.last(list, node: node) {
          pageLists.move(frame, isNext: true) { $0.setSlot((oldest + 1) & 3) }
        }
      }
      if isAnonymous {
        reclaimCell.value.oldest.anonymous = oldest + 1
      } else {
        reclaimCell.value.oldest.file = oldest + 1
      }
    }
    reclaimCell.value.youngest = youngest
    pageLists.entrySlot = youngest & 3
    return true
  }

  @usableFromInline func rejuvenate(_ frame: FrameNumber) {
    let flags = platform.frames.table.pageFlags(frame)
    guard flags.contains(.onList), !flags.contains(.mlocked), !flags.contains(.lazilyFreed) else { return }
    meter.count(.pageScanned)
    let youngest = reclaimCell.value.youngest
    pageLists.move(frame) { $0.setSlot(youngest & 3) }
    reclaimCell.value.counts.activated += 1
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// When memory is reclaimed, how much, and from which lists.
extension Kernel {
  /// The background reclaimer: runs when free memory fell below the low watermark of every node, until the high one.
  ///
  /// When it cannot get there it comes back when half of what is free is used up, not at every fault.
  @inlinable @inline(never) func balanceMemory() {
    guard isEveryNodeLow() else { return }
    let mark = meter.enter(.reclaim)
    defer { meter.leave(mark) }
    meter.count(.jobEntry)
    var isBalanced = true
    for node in 0..<platform.frames.nodeCount {
      let free = platform.frames.freeFrames(node: node)
      let high = reclaimCell.value.watermarks[node].high
      guard free < high else { continue }
      if reclaim(node: node, count: high &- free) < high &- free { isBalanced = false }
    }
    noteBackgroundRun(isBalanced: isBalanced)
  }

  @usableFromInline func isEveryNodeLow() -> Bool {
    (0..<platform.frames.nodeCount).allSatisfy {
      platform.frames.freeFrames(node: $0) < reclaimCell.value.watermarks[$0].low
    }
  }

  @usableFromInline func noteBackgroundRun(isBalanced: Bool) {
    reclaimCell.value.counts.backgroundRuns += 1
    counters.value.alarm =
      isBalanced ? reclaimCell.value.watermarks[0].low : platform.frames.freeFrames(node: 0) / 2
  }

  /// Reclaims because an allocation failed: pages in general, or a block when a block was refused.
  /// - Returns: whether it is worth trying again.
  @inlinable @inline(never) func reclaimAfterFailure() -> Bool {
    let order = noteDirectRun()
    if obstacle != 0 { return reclaim(group: obstacle, count: batchSize) > 0 }
    if purgeKernelMemory() > 0 { return true }
    if order > 0, reclaimBlock(order: order) { return true }
    var freed: UInt64 = 0
    for node in 0..<platform.frames.nodeCount { freed &+= reclaim(node: node, count: batchSize) }
    return freed > 0
  }

  /// - Returns: the order of the block that could not be had.
  @usableFromInline func noteDirectRun() -> Int {
    reclaimCell.value.counts.directRuns += 1
    return platform.frames.takeFailedOrder()
  }

  /// Tries to free `count` pages of `node`. Looks at a small part of the lists first and at more and more of them, as
  /// Linux's scan priority does; in the end also takes pages that are in use.
  /// - Returns: how many were freed.
  @inlinable public func reclaim(node: Int, count: UInt64) -> UInt64 {
    var freed: UInt64 = 0
    for round in 0..<3 {
      var shift: UInt64 = 13
      while shift > 0, freed < count {
        shift &-= 1
        freed &+= reclaimOnce(node: node, shift: shift, goal: count &- freed, ignoringUse: round == 2)
      }
      if freed >= count || round > 0 && freed > 0 { break }
    }
    return freed
  }

  @inlinable func reclaimOnce(node: Int, shift: UInt64, goal: UInt64, ignoringUse: Bool) -> UInt64 {
    meter.count(.jobStep)
    if reclaimCell.value.policy == .generations {
      return shrinkOldest(node: node, shift: shift, goal: goal, ignoringUse: ignoringUse)
    }
    var freed: UInt64 = 0
    let shares = scanShares(node: node, shift: shift)
    for (isAnonymous, count) in [(false, shares.file), (true, shares.anonymous)] where count > 0 {
      let surplus = activeSurplus(isAnonymous: isAnonymous, node: node)
      if surplus > 0 {
        deactivate(
          isAnonymous: isAnonymous, node: node, count: Swift.max(count, Swift.min(surplus, batchSize)))
      }
      freed &+= shrink(
        PageListID(isAnonymous: isAnonymous, slot: 0), node: node, count: count, goal: goal,
        ignoringUse: ignoringUse)
      if freed >= goal { break }
    }
    return freed
  }

  /// How many pages too many are active, so that reclaim has too few to choose from: Linux wants at least as many
  /// inactive pages as active ones up to 1 GiB, and the square root of ten times the GiB for each inactive one above.
  @usableFromInline func activeSurplus(isAnonymous: Bool, node: Int) -> UInt64 {
    let active = pageLists.count(PageListID(isAnonymous: isAnonymous, slot: 1), node: node)
    let inactive = pageLists.count(PageListID(isAnonymous: isAnonymous, slot: 0), node: node)
    let gibibytes = (active + inactive) >> 18
    let ratio = gibibytes == 0 ? 1 : UInt64(Double(10 * gibibytes).squareRoot())
    return active > inactive * ratio ? active - inactive * ratio : 0
  }

  /// How many pages of each type to look at: a part of each list, shared out by swappiness and by what each type has
  /// cost lately. Everything at the end.
  @usableFromInline func scanShares(node: Int, shift: UInt64) -> (anonymous: UInt64, file: UInt64) {
    func size(_ isAnonymous: Bool) -> UInt64 {
      pageLists.count(PageListID(isAnonymous: isAnonymous, slot: 0), node: node)
        + pageLists.count(PageListID(isAnonymous: isAnonymous, slot: 1), node: node)
    }
    // Without a slot to be had only pages that have one can go: worth a look in the end.
    let anonymous = canSwap || shift == 0 && swapCell.value.cached > 0 ? size(true) >> shift : 0
    let file = size(false) >> shift
    guard shift > 0, anonymous > 0 else { return (anonymous, file) }
    let state = reclaimCell.value
    let total = state.anonymousCost + state.fileCost + 1
    let anonymousWeight = state.settings.swappiness * total / (state.anonymousCost + 1)
    let fileWeight = (200 - min(state.settings.swappiness, 200)) * total / (state.fileCost + 1)
    let weights = max(anonymousWeight + fileWeight, 1)
    return (anonymous * anonymousWeight / weights, file * fileWeight / weights)
  }

  /// Whether a private page can get a slot.
  @usableFromInline var canSwap: Bool { swapCell.value.free > 0 || swapCell.value.spare > 0 }

  /// What may be chosen about reclaim.
  public var reclaimSettings: ReclaimSettings {
    get { reclaimCell.value.settings }
    set { reclaimCell.value.settings = newValue }
  }

  /// What reclaim did so far.
  public var reclaimCounts: ReclaimCounts { reclaimCell.value.counts }

  /// Swap areas and what is in them.
  public var swap: SwapSpace { swapCell.value }

  /// The watermarks of the nodes.
  public var watermarks: [Watermarks] { reclaimCell.value.watermarks }
}

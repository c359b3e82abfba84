// SPDX-License-Identifier: MIT
public import EMTCore
internal import Mutations
public import SimMemory

extension Kernel {
  /// Serves the page fault of an access of `kind` at `address`: the entry point of the hardware's exception.
  @inlinable @inline(never)
  public func pageFault(_ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind)
    -> FaultOutcome
  {
    let mark = meter.enter(.pageFault)
    defer { meter.leave(mark) }
    meter.count(.faultEntry)
    let outcome = resolve(space, address, kind)
    switch outcome {
    case .resolved(let kind): space.faults.count(kind)
    case .refused: space.faults.refused &+= 1
    case .waits(let reason): noteWaiting(space, address, reason, kind)
    case .outOfMemory: break
    }
    return outcome
  }

  /// Makes an access possible or says why not. Also for pages that system calls bring in.
  ///
  /// Reclaim runs before and after a try, never inside, because it takes locks and moves areas' pages.
  @inlinable
  func resolve(_ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind) -> FaultOutcome {
    if platform.frames.freeFrames(node: 0) < counters.value.alarm { balanceMemory() }
    let outcome = tryToResolve(space, address, kind)
    switch outcome {
    case .resolved, .waits: return outcome
    case .outOfMemory: return resolveAfterReclaim(space, address, kind)
    case .refused:
      return waitForMigration(space, address) ? .resolved(.minor) : outcome
    }
  }

  /// One try. The database is handed to what does the work: each read of it from the space would copy it whole.
  @inlinable
  func tryToResolve(_ space: Space<Database>, _ address: VirtualAddress, _ kind: AccessKind) -> FaultOutcome {
    meter.count(.vmaLookup)
    guard let index = areaIndex(space, address) ?? growStack(space, to: address) else {
      return .refused(address.isCanonical(userEnd: userEnd) ? .notMapped : .notCanonical)
    }
    let area = space.layout.areas.areas[index]
    guard area.rights.allow(kind) else { return .refused(.notAllowed) }
    if counters.value.placesPages { aim(space, area, address) }
    if !area.flags.isDisjoint(with: [.hugeTLB, .device]) {
      return area.flags.contains(.device)
        ? deviceFault(space, area, address, kind) : hugeTLBFault(space, area, address, kind)
    }
    let page = VirtualRange(page: address, .base)
    let huge = hugePage(of: area, at: address)
    let database = space.database
    var lock = database.rangeLock(over: huge ?? page)
    database.lockForWriting(&lock)
    let object = database.find(address)
    if !area.flags.isDisjoint(with: .userfaults),
      let outcome = watchedFault(space, area, index, object, address, kind)
    {
      database.unlock(&lock)
      database.putLock(lock)
      return outcome
    }
    let isMapped = object.isMapped
    let wantsHugePage =
      if let huge, !isMapped, !space.layout.disablesHugePages {
        takesHugePage(database, area, huge)
      } else {
        false
      }
    let view = FaultView(
      isMapped: isMapped, isPresent: object.isPresent,
      isSwapped: isMapped && !object.isPresent && isSwapped(object, in: database),
      isReadable: object.isReadable, isWritable: object.isWritable, isExecutable: object.isExecutable,
      isHuge: isMapped && object.size != .base,
      takesHugePage: wantsHugePage)
    let outcome: FaultOutcome
    var follower: MovablePage?
    switch FaultPlan.decide(area, view, kind) {
    case .mapZeroPage: outcome = mapZeroPage(space, database, area, object, page)
    case .mapFreshPage: outcome = mapFreshPage(space, database, area, index, object, page)
    case .mapHugeZeroPage: outcome = mapHugeZeroPage(space, area, index, object, page)
    case .mapHugePage: outcome = mapHugePage(space, area, index, object, page)
    case .mapFilePage: outcome = mapFilePage(space, database, area, object, page, kind)
    case .mapFileCopy: outcome = mapFileCopy(space, database, area, index, object, page)
    case .copyOnWrite: outcome = copyOnWrite(space, database, index, object)
    case .copyHugeOnWrite: outcome = copyHugeOnWrite(space, area, index, object, page)
    case .allowWrite: outcome = allowWrite(space, area, object)
    case .renewRights:
      if counters.value.seesHints { follower = noteHint(space, address) }
      outcome = renewRights(space, area, object, kind)
    case .nothing: outcome = markUsed(space, object, kind)
    case .swapIn: outcome = swapIn(space, area, index, object, page, kind)
    case .refuseGuard: outcome = .refused(refusal(of: object, in: database))
    }
    if kind == .store, space.layout.tracksSoftDirty, case .resolved = outcome { noteStore(space, address) }
    database.unlock(&lock)
    database.putLock(lock)
    if let follower { followUser(space, follower) }
    if !isMapped, !area.isAnonymous, kind != .store, faultAroundPages > 1, case .resolved = outcome {
      mapAround(space, area, address)
    }
    return outcome
  }

  /// The index of the area that holds `address`: most faults hit the area of the fault before.
  @inlinable func areaIndex(_ space: Space<Database>, _ address: VirtualAddress) -> Int? {
    if let index = space.layout.areas.lastIndex(of: address) { return index }
    meter.count(.vmaSearchStep, space.layout.areas.searchSteps)
    return space.layout.areas.search(for: address)
  }

  /// A fault below a stack extends it, unless it would come too near to the next mapping or too large.
  /// - Returns: the index of the area that holds `address` now.
  @usableFromInline
  func growStack(_ space: Space<Database>, to address: VirtualAddress) -> Int? {
    let areas = space.layout.areas
    let index = areas.firstIndex(endingAfter: address)
    guard index < areas.areas.count, areas.areas[index].flags.contains(.growsDown) else { return nil }
    let stack = areas.areas[index]
    let base = address.aligned(down: .base)
    guard stack.range.end.raw - base.raw <= space.layout.limits.stack, base >= UserSpace.minimum else {
      return nil
    }
    if index > 0 {
      let below = areas.areas[index - 1]
      let gap = base.raw &- below.range.end.raw
      let isGuarded = below.rights.isEmpty || below.flags.contains(.growsDown)
      let minimum = Mutation.stackGapIgnored.isPlanted ? 0 : StackRule.guardGap
      if base < below.range.end || !isGuarded && gap < minimum { return nil }
    }
    guard mayGrow(space, stack, by: stack.range.start.raw - base.raw) else { return nil }
    meter.count(.vmaChange)
    growDown(space, index, to: base)
    return space.layout.areas.index(of: address)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// `mprotect(address, length, protection)`. As on Linux, areas before the first offending one are changed.
  @inlinable func mprotect(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64
  {
    let plan = try planProtection(process, request)
    for step in plan.steps { try cutAtEdges(process.space, step.range) }
    if plan.steps.count > 1, isElsewhere(process.space) {
      process.space.database.batch { protect(process.space, plan) }
    } else {
      protect(process.space, plan)
    }
    if let failure = plan.failure { throw failure }
    return 0
  }

  @inlinable func protect(_ space: Space<Database>, _ plan: ProtectionPlan) {
    for step in plan.steps {
      protect(space, step.range, to: plan.rights, key: step.key)
      if step.isFilled { populate(space, step.range) }
    }
  }

  /// What `mprotect` decided: the parts to change, and how it ends.
  @usableFromInline struct ProtectionPlan {
    @usableFromInline var rights: Rights
    @usableFromInline var steps: [(range: VirtualRange, key: UInt8, isFilled: Bool)] = []
    @usableFromInline var failure: Errno?
    /// Pages that become data by it so far, and were not promised before.
    @usableFromInline var promised: UInt64 = 0
  }

  @usableFromInline
  func planProtection(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno)
    -> ProtectionPlan
  {
    let space = process.space
    let growsDown: UInt64 = 0x0100_0000
    let growsUp: UInt64 = 0x0200_0000
    let known: UInt64 = 7 | 8 | growsDown | growsUp
    var start = request.address(0)
    let bits = request[2]
    if bits & growsDown != 0, bits & growsUp != 0 { throw .einval }
    guard start.isAligned(to: .base) else { throw .einval }
    if request[1] == 0 { return ProtectionPlan(rights: []) }
    guard let length = pageAligned(request[1]), length != 0, start.raw &+ length > start.raw else {
      throw .enomem
    }
    guard bits & ~known == 0 else { throw .einval }
    let asked = try askedKey(space, request)
    let end = start.advanced(by: length)
    let areas = space.layout.areas
    if bits & growsDown != 0 {
      let index = areas.firstIndex(endingAfter: start)
      guard index < areas.areas.count, areas.areas[index].range.start < end else { throw .enomem }
      guard areas.areas[index].flags.contains(.growsDown) else { throw .einval }
      start = areas.areas[index].range.start
    }
    let range = VirtualRange(start, end)
    if areas.areas.count + areas.splits(at: range) > maximumAreas { throw .enomem }
    var plan = ProtectionPlan(rights: Rights(rawValue: UInt8(truncatingIfNeeded: bits & 7)))
    var next = start
    for area in areas.overlapping(range) {
      if area.range.start > next { break }
      // No mapping of x86-64 grows up.
      if bits & growsUp != 0 { throw .einval }
      if plan.rights.contains(.write), !area.flags.contains(.mayWrite) {
        plan.failure = .eacces
        return plan
      }
      if area.flags.contains(.sealed), !Mutation.sealIgnored.isPlanted {
        plan.failure = .eperm
        return plan
      }
      let part = area.range.intersection(range)
      do { try checkGain(of: area, part, to: plan.rights, process, promised: &plan.promised) } catch {
        plan.failure = error
        return plan
      }
      let key = newKey(of: area, plan.rights, process, asked: asked)
      if area.rights != plan.rights || area.key != key {
        do { try checkHugeEdges(space, part) } catch {
          plan.failure = error
          return plan
        }
      }
      let changed = Mutation.protectsWholeArea.isPlanted ? area.range : part
      if area.rights != plan.rights || area.key != key {
        // Locked private pages are copied when they become writable, not at the first store.
        let isFilled =
          area.flags.contains(.locked) && area.isPrivate && !area.rights.contains(.write)
          && plan.rights.contains(.write) && !area.flags.contains(.lockedOnFault)
        plan.steps.append((changed, key, isFilled))
      }
      next = part.end
    }
    if next < end { plan.failure = .enomem } else { try commit(request) }
    return plan
  }

  /// The key that `pkey_mprotect` asks for; nil for `mprotect`, and for -1, which means the same.
  private func askedKey(_ space: Space<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt8? {
    let key = request[3] & 0xFFFF_FFFF
    guard request.number == .pkeyMprotect, key != 0xFFFF_FFFF else { return nil }
    let isKnown = space.layout.protectionKeys.contains(key)
    guard isKnown || request.circumstances.isAccepted && key < 16 else { throw .einval }
    if key != 0 { space.layout.protectionKeys.areUsed = true }
    return UInt8(key)
  }

  /// Gives one part of an area new rights, in the layout and in the translations.
  @inlinable @inline(never)
  func protect(_ space: Space<Database>, _ range: VirtualRange, to rights: Rights, key: UInt8? = nil) {
    setRights(space, range, rights, key)
    if Mutation.protectDropsUserfault.isPlanted { setProtectionMarks(space, range, false) }
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    // Private pages may be shared copy-on-write, so they never become writable here; neither do file pages whose
    // first store has to be seen.
    let protection = Protection(
      readable: !rights.isEmpty, writable: false, executable: rights.contains(.execute))
    let database = space.database
    var lock = database.rangeLock(over: range)
    database.lockForWriting(&lock)
    var rest = range
    while !rest.isEmpty, !Mutation.protectsLayoutOnly.isPlanted {
      do {
        database.settle(try database.setProtection(in: rest, to: protection))
        break
      } catch {
        rest.start = error.firstNotDone
        splitOrTrap(space, at: error)
      }
    }
    database.unlock(&lock)
    database.putLock(lock)
  }

  @usableFromInline func setRights(
    _ space: Space<Database>, _ range: VirtualRange, _ rights: Rights, _ key: UInt8?
  ) {
    let changed = space.layout.areas.update(range) { area in
      area.rights = rights
      if let key { area.key = key }
      noteRights(&area)
    }
    countChange(space, changed)
  }
}

extension Kernel {
  /// Takes rights away on behalf of the simulator, outside any system call.
  /// - Throws: `.enomem` when a huge page over an edge of the range cannot be split; nothing has changed then.
  @inlinable
  public func restrict(
    _ space: Space<Database>, _ range: VirtualRange, to rights: Rights
  ) throws(Errno) {
    try cutAtEdges(space, range)
    protect(space, range, to: rights)
  }

  /// Counts a change of `areas` neighbouring areas: each cut or merge (there are three at most at the edges) moves the
  /// areas behind.
  @usableFromInline func countChange(_ space: Space<Database>, _ areas: Int) {
    meter.count(.vmaChange, UInt64(areas))
    if areas > 1 { meter.count(.vmaMoved, UInt64(min(areas - 1, 3)) &* space.layout.areas.areasBehindLast) }
  }
}

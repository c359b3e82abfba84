// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// `mprotect(address, length, protection)`. As on Linux, areas before the first offending one are changed.
  @inlinable func mprotect(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64
  {
    let plan = try planProtection(process.space, request)
    for step in plan.steps { try cutAtEdges(process.space, step) }
    for step in plan.steps { protect(process.space, step, to: plan.rights) }
    if let failure = plan.failure { throw failure }
    return 0
  }

  /// What `mprotect` decided: the parts to change, and how it ends.
  @usableFromInline struct ProtectionPlan {
    @usableFromInline var rights: Rights
    @usableFromInline var steps: [VirtualRange] = []
    @usableFromInline var failure: Errno?
  }

  @usableFromInline
  func planProtection(_ space: Space<Database>, _ request: SystemCallRequest) throws(Errno) -> ProtectionPlan
  {
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
    if request.number == .pkeyMprotect, request[3] != 0, request[3] != .max, !request.circumstances.isAccepted
    {
      throw .einval
    }
    let end = start.advanced(by: length)
    let areas = space.layout.areas
    if bits & growsDown != 0 {
      let index = areas.firstIndex(endingAfter: start)
      guard index < areas.areas.count, areas.areas[index].range.start < end else { throw .enomem }
      guard areas.areas[index].flags.contains(.growsDown) else { throw .einval }
      start = areas.areas[index].range.start
    }
    let range = VirtualRange(start, end)
    try checkUnsealed(space, range)
    if areas.areas.count + areas.splits(at: range) > VMASet.maximumCount { throw .enomem }
    var plan = ProtectionPlan(rights: Rights(rawValue: UInt8(truncatingIfNeeded: bits & 7)))
    var next = start
    for area in areas.overlapping(range) {
      if area.range.start > next { break }
      if plan.rights.contains(.write), !area.flags.contains(.mayWrite) {
        plan.failure = .eacces
        return plan
      }
      let part = area.range.intersection(range)
      if area.rights != plan.rights { plan.steps.append(part) }
      next = part.end
    }
    if next < end { plan.failure = .enomem } else { try commit(request) }
    return plan
  }

  /// Gives one part of an area new rights, in the layout and in the translations.
  @inlinable @inline(never)
  func protect(_ space: Space<Database>, _ range: VirtualRange, to rights: Rights) {
    setRights(space, range, rights)
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
    while !rest.isEmpty {
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

  @usableFromInline func setRights(_ space: Space<Database>, _ range: VirtualRange, _ rights: Rights) {
    let changed = space.layout.areas.update(range) { $0.rights = rights }
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

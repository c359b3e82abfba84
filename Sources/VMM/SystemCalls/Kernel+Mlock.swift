// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `mlock(address, length)` and `mlock2(address, length, flags)`.
  @inlinable func mlock(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let space = process.space
    let onFault = request.number == .mlock2 && request[2] & 1 != 0
    if request.number == .mlock2, request[2] & ~1 != 0 { throw .einval }
    try space.layout.checkMayLock(process.privileges)
    let range = try checkLockRange(request)
    try excuse(request, [.eperm])
    guard !range.isEmpty else { return 0 }
    try space.layout.checkLockable(range, process.privileges)
    let hasHole = !covers(space, range)
    if !hasHole { try commit(request) }
    try cutAtEdges(space, range)
    setLock(space, range, onFault ? [.locked, .lockedOnFault] : .locked)
    if hasHole { throw .enomem }
    // MLOCK_ONFAULT is a lock, and droppable memory has none: it is filled as without.
    let filled =
      onFault
      ? overlapping(space, range).filter { $0.flags.contains(.droppable) }.map {
        $0.range.intersection(range)
      }
      : [range]
    for part in filled {
      guard let stopped = populate(space, part) else { continue }
      if case .outOfMemory = stopped { throw .eagain }
      throw .enomem
    }
    return 0
  }

  /// `munlock(address, length)`.
  @inlinable func munlock(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64
  {
    let range = try checkLockRange(request)
    guard !range.isEmpty else { return 0 }
    try commit(request)
    try cutAtEdges(process.space, range)
    setLock(process.space, range, [])
    releaseLocked(process.space, range)
    if !covers(process.space, range) { throw .enomem }
    return 0
  }

  /// `mlockall(flags)`: MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4.
  @inlinable func mlockall(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64
  {
    let flags = request[0]
    guard flags != 0, flags & ~7 == 0, flags != 4 else { throw .einval }
    try excuse(request, [.eperm])
    let space = process.space
    try space.layout.checkMayLock(process.privileges)
    if flags & 1 != 0, space.layout.mappedBytes > space.layout.limits.lockedMemory,
      !process.privileges.contains(.lockMemory)
    {
      throw .enomem
    }
    try commit(request)
    let lock: VMAFlags = flags & 4 != 0 ? [.locked, .lockedOnFault] : .locked
    space.layout.futureFlags = flags & 2 != 0 ? lock : []
    if flags & 1 != 0 {
      let everything = VirtualRange(VirtualAddress(0), userEnd)
      setLock(space, everything, lock)
      if flags & 4 == 0 { for area in overlapping(space, everything) { populate(space, area.range) } }
    }
    return 0
  }

  /// `munlockall()`.
  @inlinable func munlockall(_ process: Process<Database>) throws(Errno) -> UInt64 {
    process.space.layout.futureFlags = []
    let everything = VirtualRange(VirtualAddress(0), userEnd)
    setLock(process.space, everything, [])
    releaseLocked(process.space, everything)
    return 0
  }

  /// Rounds to whole pages: the start down, the end up.
  @usableFromInline func checkLockRange(_ request: SystemCallRequest) throws(Errno) -> VirtualRange {
    let start = request.address(0).aligned(down: .base)
    // As in Linux, a length that overflows here wraps to zero.
    let length = wrappingPageAligned(request[1] &+ request.address(0).offset(in: .base))
    guard start.raw &+ length >= start.raw else { throw .einval }
    return VirtualRange(start, bytes: length)
  }

  /// Sets or clears locks on the mapped parts of `range`, up to the first hole as Linux does.
  @usableFromInline func setLock(_ space: Space<Database>, _ range: VirtualRange, _ flags: VMAFlags) {
    let isEverything = range.end == userEnd
    let end = isEverything ? range.end : space.layout.areas.firstHole(in: range) ?? range.end
    let part = VirtualRange(range.start, end)
    guard !part.isEmpty else { return }
    for part in lockableParts(space, part) {
      let changed = space.layout.areas.update(part) {
        // What may vanish at any time cannot be kept.
        guard !$0.flags.contains(.droppable) else { return }
        $0.flags.subtract([.locked, .lockedOnFault])
        $0.flags.formUnion(flags)
      }
      countChange(space, changed)
    }
  }
}

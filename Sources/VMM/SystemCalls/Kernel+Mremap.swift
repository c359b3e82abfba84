// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// `mremap(old address, old length, new length, flags, new address)`.
  @inlinable func mremap(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let space = process.space
    switch try planRemap(process, request) {
    case .stay: break
    case .shrink(let tail):
      try cutAtEdges(space, tail)
      unmapForCall(space, tail)
    case .grow(let growth):
      let grown = extend(space, growth)
      if grown.flags.contains(.locked), !grown.flags.contains(.lockedOnFault) { populate(space, growth) }
    case .moveSeveral(let moves):
      for move in moves { try cutFor(space, move) }
      for move in moves {
        unmapForCall(space, move.target)
        try relocate(space, move)
      }
      return request[4]
    case .move(let move):
      try cutFor(space, move)
      if let tail = move.tail { unmapForCall(space, tail) }
      if move.replaces { unmapForCall(space, move.target) }
      try relocate(space, move)
      return move.target.start.raw
    }
    return request[0]
  }

  /// How `mremap` does it.
  @usableFromInline enum RemapPlan {
    case stay
    case shrink(VirtualRange)
    case grow(VirtualRange)
    case move(Relocation)
    case moveSeveral([Relocation])
  }

  /// A mapping on its way.
  @usableFromInline struct Relocation {
    /// The part of the old mapping that moves; empty when a shared mapping is duplicated (old length 0).
    @usableFromInline var source: VirtualRange
    @usableFromInline var target: VirtualRange
    /// What is unmapped first because the new length is smaller.
    @usableFromInline var tail: VirtualRange?
    @usableFromInline var replaces: Bool
    @usableFromInline var keepsSource: Bool
    @usableFromInline var area: VMA
  }

  /// Checks `mremap`'s arguments in Linux's order and decides.
  @usableFromInline
  func planRemap(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> RemapPlan {
    let space = process.space
    let (mayMove, fixed, dontUnmap): (UInt64, UInt64, UInt64) = (1, 2, 4)
    let (old, flags) = (request.address(0), request[3])
    guard flags & ~7 == 0 else { throw .einval }
    if flags & fixed != 0, flags & mayMove == 0 { throw .einval }
    guard old.isAligned(to: .base) else { throw .einval }
    // As in Linux, a length that overflows here wraps to zero.
    var (oldLength, newLength) = (wrappingPageAligned(request[1]), wrappingPageAligned(request[2]))
    guard newLength != 0, newLength <= userEnd.raw else { throw .einval }
    if flags & dontUnmap != 0, flags & mayMove == 0 || oldLength != newLength { throw .einval }
    let isFixed = flags & fixed != 0
    let isPlaced = isFixed || flags & dontUnmap != 0
    var target = request.address(4)
    if isPlaced {
      guard target.isAligned(to: .base), target.raw <= userEnd.raw - newLength else { throw .einval }
      if target.raw < old.raw &+ oldLength, old.raw < target.raw + newLength { throw .einval }
      if space.layout.areas.areas.count + 2 >= maximumAreas - 3 { throw .enomem }
    }
    guard let area = space.layout.areas.area(at: old) else { throw .efault }
    try checkUnsealed(space, VirtualRange(old, bytes: max(oldLength, 1)))
    if area.flags.contains(.hugeTLB) {
      (oldLength, newLength) = try checkHugeRemap(area, request, oldLength, newLength)
    }
    if isPlaced {
      if isFixed {
        try checkUnsealed(space, VirtualRange(target, bytes: newLength))
        try checkHugeEdges(space, VirtualRange(target, bytes: newLength))
      }
    } else if newLength <= oldLength {
      if oldLength - newLength > userEnd.raw - old.raw - newLength { throw .einval }
      try commit(request)
      let tail = VirtualRange(old.advanced(by: newLength), old.advanced(by: oldLength))
      try checkHugeEdges(space, tail)
      return tail.isEmpty ? .stay : .shrink(tail)
    }
    if isFixed, oldLength == newLength, oldLength > area.range.end.raw - old.raw {
      return try planSeveralMoves(process, request, VirtualRange(old, bytes: oldLength), to: target)
    }
    try checkResizable(process, area, old, oldLength, newLength)
    if flags & dontUnmap != 0 {
      try space.layout.checkRoom(for: oldLength, isData: area.isData)
      if area.flags.contains(.accounted) { try promise(oldLength >> 12, process) }
    }
    if !isFixed, flags & dontUnmap == 0, old.advanced(by: oldLength) == area.range.end {
      let growth = VirtualRange(area.range.end, old.advanced(by: newLength))
      let staysPut = request.circumstances.placement.map { $0 == old } ?? true
      if growth.end <= userEnd, staysPut, space.layout.areas.overlapping(growth).isEmpty {
        try commit(request)
        return .grow(growth)
      }
    }
    guard flags & mayMove != 0 else { throw .enomem }
    if space.layout.areas.areas.count >= maximumAreas - 3 { throw .enomem }
    try commit(request)
    if !isFixed {
      if let placement = request.circumstances.placement {
        target = placement
      } else {
        let alignment = area.flags.contains(.hugeTLB) ? pooledSize(of: area) : .base
        // A new address is a hint only together with MREMAP_DONTUNMAP.
        let hint = flags & dontUnmap != 0 ? target : VirtualAddress(0)
        target = try findRoom(space, newLength, near: hint, alignment)
      }
    }
    let kept = min(oldLength, newLength)
    let tail = VirtualRange(old.advanced(by: kept), old.advanced(by: oldLength))
    return .move(
      Relocation(
        source: VirtualRange(old, bytes: kept), target: VirtualRange(target, bytes: newLength),
        tail: tail.isEmpty ? nil : tail, replaces: isFixed,
        keepsSource: flags & dontUnmap != 0 || oldLength == 0,
        area: area))
  }

  /// A move without a change of length may take several mappings, and the holes between them, along (since Linux 6.17;
  /// EFAULT before).
  private func planSeveralMoves(
    _ process: Process<Database>, _ request: SystemCallRequest, _ source: VirtualRange,
    to target: VirtualAddress
  ) throws(Errno) -> RemapPlan {
    let space = process.space
    try excuse(request, [.efault, .einval])
    try checkHugeEdges(space, source)
    for area in space.layout.areas.overlapping(source) where area.flags.contains(.hugeTLB) {
      guard (source.start.raw ^ target.raw) & pooledSize(of: area).mask == 0 else { throw .einval }
    }
    if request[3] & 4 != 0 { try checkRoomForCopies(of: source, process) }
    try commit(request)
    let moves = space.layout.areas.overlapping(source).map { area in
      let part = area.range.intersection(source)
      let start = target.advanced(by: part.start.raw &- source.start.raw)
      return Relocation(
        source: part, target: VirtualRange(start, bytes: part.bytes), tail: nil, replaces: true,
        keepsSource: request[3] & 4 != 0, area: area)
    }
    return .moveSeveral(moves)
  }

  /// What MREMAP_DONTUNMAP leaves behind counts like a new mapping.
  private func checkRoomForCopies(of source: VirtualRange, _ process: Process<Database>) throws(Errno) {
    let layout = process.space.layout
    var (all, data, promised): (UInt64, UInt64, UInt64) = (0, 0, 0)
    for area in layout.areas.overlapping(source) {
      let bytes = area.range.intersection(source).bytes
      all += bytes
      if area.isData { data += bytes }
      if area.flags.contains(.accounted) { promised += bytes >> 12 }
    }
    try layout.checkRoom(for: all, isData: false)
    if data > 0 { try layout.checkRoom(for: data, isData: true) }
    if promised > 0 { try promise(promised, process) }
  }

  private func checkResizable(
    _ process: Process<Database>, _ area: VMA, _ old: VirtualAddress, _ oldLength: UInt64,
    _ newLength: UInt64
  ) throws(Errno) {
    let layout = process.space.layout
    if oldLength == 0, area.isPrivate { throw .einval }
    // What a smaller length leaves over is unmapped first, whatever is mapped there.
    guard min(oldLength, newLength) <= area.range.end.raw - old.raw else { throw .efault }
    guard newLength > oldLength else { return }
    if area.file != .none {
      let (end, overflow) = area.cut(to: VirtualRange(old, area.range.end)).offset.addingReportingOverflow(
        newLength)
      if overflow || end == 0 { throw .einval }
    }
    let gain = newLength - oldLength
    if area.flags.contains(.locked) {
      try layout.checkLockable(gain, process.privileges, else: .eagain)
    }
    try layout.checkRoom(for: gain, isData: area.isData)
    if area.flags.contains(.accounted) { try promise(gain >> 12, process) }
  }

  /// Makes the area that ends where `growth` starts longer.
  @usableFromInline func extend(_ space: Space<Database>, _ growth: VirtualRange) -> VMA {
    let last = VirtualAddress(growth.start.raw - 1)
    guard var area = space.layout.areas.area(at: last) else { preconditionFailure("nothing to extend") }
    area.offset = area.offset &+ area.range.bytes
    area.range = growth
    area.flags.subtract([.hasPrivatePages, .hasHugePages])
    install(area, in: space)
    return area
  }

  /// Splits the huge pages that cannot move as a whole: those over an edge, and all where the two places are not
  /// aligned alike.
  @inlinable func cutFor(_ space: Space<Database>, _ move: Relocation) throws(Errno) {
    if move.replaces { try cutAtEdges(space, move.target) }
    if let tail = move.tail { try cutAtEdges(space, tail) }
    try cutAtEdges(space, move.source)
    let distance = move.target.start.raw &- move.source.start.raw
    if move.area.flags.contains(.device) {
      return try splitDevicePages(space, move.source) { distance & $0.size.mask != 0 }
    }
    if distance & hugeSize.mask != 0 { try splitHugePages(space, move.source) }
  }

  /// Moves a mapping with its translations; when tables run out of memory everything goes back.
  @inlinable func relocate(_ space: Space<Database>, _ move: Relocation) throws(Errno) {
    var area = move.area.cut(to: VirtualRange(move.source.start, move.area.range.end))
    area.range = move.target
    let isWatched = area.userfault != 0 && isWatchedWhenMoved(area)
    if !isWatched { area.disarm() }
    // Without private pages nothing has to be found at the old offset; Linux does the same.
    if area.file == .none, area.group == 0 { area.offset = move.target.start.raw }
    install(area, in: space)
    if !move.source.isEmpty {
      let range = VirtualRange(move.target.start, bytes: move.source.bytes)
      if let failure = moveTranslations(space, move.source, to: range.start) {
        let done = failure.firstNotDone.raw &- move.source.start.raw
        if moveTranslations(space, VirtualRange(range.start, bytes: done), to: move.source.start) != nil {
          preconditionFailure("translations did not fit where they came from")
        }
        unmap(space, move.target)
        timesOutOfMemory &+= 1
        throw .enomem
      }
      if move.area.flags.contains(.hugeTLB) { moveReservations(space, move.source, to: range.start) }
      if move.area.flags.contains(.userfaultProtect), !isWatched { setProtectionMarks(space, range, false) }
      let staysMapped = move.keepsSource || Mutation.remapLeavesOld.isPlanted
      if staysMapped { clearPrivateMark(space, move.source) } else { unmap(space, move.source) }
    }
    if isWatched { announceMove(area, move.source, to: move.target.start) }
    if area.flags.contains(.locked), !area.flags.contains(.lockedOnFault) {
      // What moved stays as it is, copied on write where it was; only what is new is filled.
      populate(space, VirtualRange(move.target.start.advanced(by: move.source.bytes), move.target.end))
    }
  }

  /// Moves translations. Huge pages that do not fit the new alignment were split before.
  /// - Returns: where memory ran out.
  @inlinable @inline(never)
  func moveTranslations(
    _ space: Space<Database>, _ source: VirtualRange, to target: VirtualAddress
  ) -> RangeFailure? {
    guard !source.isEmpty else { return nil }
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = space.database
    let covered = VirtualRange(
      Swift.min(source.start, target), Swift.max(source.end, target.advanced(by: source.bytes)))
    var lock = database.rangeLock(over: covered)
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    var rest = source
    while !rest.isEmpty {
      do {
        let start = target.advanced(by: rest.start.raw &- source.start.raw)
        database.settle(try database.move(rest, to: start))
        return nil
      } catch {
        rest.start = error.firstNotDone
        if error.reason == .outOfMemory {
          database.unlock(&lock)
          let isWorthTrying = reclaimAfterFailure()
          database.lockForWriting(&lock)
          if isWorthTrying { continue }
        }
        guard case .sizeConflict = error.reason else { return error }
        do { try splitHugePage(space, database.find(rest.start)) } catch {
          return RangeFailure(firstNotDone: rest.start, reason: error)
        }
      }
    }
    return nil
  }

  /// After MREMAP_DONTUNMAP the old place has no pages of its own left, and its area is not locked: as on Linux the whole
  /// area, also where only a part of it moved.
  @usableFromInline func clearPrivateMark(_ space: Space<Database>, _ range: VirtualRange) {
    space.layout.areas.update(range) { $0.flags.subtract([.hasPrivatePages, .hasHugePages]) }
    for area in overlapping(space, range) where area.flags.contains(.locked) {
      space.layout.areas.update(area.range) { $0.flags.subtract([.locked, .lockedOnFault]) }
    }
  }
}

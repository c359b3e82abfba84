// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// `mincore(address, length, vector)`. The vector's pages are touched as the kernel writes them.
  @inlinable func mincore(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64
  {
    let space = process.space
    let start = request.address(0)
    guard start.isAligned(to: .base) else { throw .einval }
    guard start <= userEnd, request[1] <= userEnd.raw - start.raw,
      let length = pageAligned(request[1])
    else { throw .enomem }
    let range = VirtualRange(start, bytes: length)
    guard request[2] <= userEnd.raw, range.pages <= userEnd.raw - request[2] else {
      throw .efault
    }
    let unchecked = Mutation.mincoreOffByOne.isPlanted && length > 0 ? PageSize.base.bytes : 0
    guard covers(space, VirtualRange(start, bytes: length &- unchecked)) else { throw .enomem }
    try commit(request)
    _ = residentPages(space, range)
    if range.pages > 0 {
      try checkKeys(process, VirtualRange(request.address(2), bytes: range.pages), .store)
      try touch(space, VirtualRange(request.address(2), bytes: range.pages), .store)
    }
    return 0
  }

  /// Which pages of `range` are in memory: mapped, or in the page cache of the mapped file.
  @inlinable public func residentPages(_ space: Space<Database>, _ range: VirtualRange) -> UInt64 {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    var count: UInt64 = 0
    for area in overlapping(space, range) {
      meter.count(.vmaStep)
      let part = area.range.intersection(range)
      let isMapped = area.isAnonymous || !area.flags.isDisjoint(with: [.hugeTLB, .device])
      count &+= isMapped ? presentPages(space, area, part) : cachedPages(space, area, part)
    }
    return count
  }

  /// Pages of `part` that are in memory; a page in the swap cache is.
  @inlinable func presentPages(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) -> UInt64 {
    let database = space.database
    if space.swappedPages == 0, area.flags.isDisjoint(with: [.hasGuards, .userfaultProtect]) {
      return database.countMapped(in: part)
    }
    var count: UInt64 = 0
    var iterator = database.makeIterator(over: part)
    while let object = database.nextMapped(&iterator) {
      if object.isPresent {
        count &+= object.span.intersection(part).pages
      } else if let entry = database.swapEntry(of: object), entry.area != Marker.area,
        cachedFrame(entry) != nil
      {
        count &+= 1
      }
    }
    database.endIteration(iterator)
    return count
  }

  /// Pages of `part` that the file has in memory, or of which the process has a copy of its own.
  @usableFromInline
  func cachedPages(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) -> UInt64 {
    let first = area.filePage(at: part.start)
    let pages = files[area.file].pages
    let hasCopies = area.isPrivate && area.flags.contains(.hasPrivatePages)
    return (0..<part.pages).reduce(0) { count, page in
      if pages[first + page] != nil { return count + 1 }
      let address = part.start.advanced(by: page << UInt64(PageSize.baseShift))
      return hasCopies && space.database.find(address).isPresent ? count + 1 : count
    }
  }

  /// What the kernel does to user memory on behalf of a call: faults as the user would, and EFAULT where it may not.
  @inlinable
  public func touch(_ space: Space<Database>, _ range: VirtualRange, _ kind: AccessKind) throws(Errno) {
    var address = range.start.aligned(down: .base)
    while address < range.end {
      guard case .resolved = resolve(space, address, kind) else { throw .efault }
      address = nextAddress(space, after: address)
    }
  }

  /// `msync(address, length, flags)`: MS_ASYNC 1, MS_INVALIDATE 2, MS_SYNC 4. Files live in memory, so there is nothing
  /// to write; dirty bits of the range are collected.
  @inlinable func msync(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let flags = request[2] & 0xFFFF_FFFF
    let start = request.address(0)
    guard flags & ~7 == 0, flags & 5 != 5 else { throw .einval }
    guard start.isAligned(to: .base) else { throw .einval }
    let length = wrappingPageAligned(request[1])
    guard start.raw &+ length >= start.raw else { throw .enomem }
    let range = VirtualRange(start, bytes: length)
    for area in overlapping(process.space, range) {
      if flags & 2 != 0, area.flags.contains(.locked) { throw .ebusy }
    }
    guard covers(process.space, range) else { throw .enomem }
    try commit(request)
    if flags & 4 != 0 { collectDirty(process.space, range) }
    return 0
  }

  /// Clears the dirty bits of shared file pages, as writing them back would.
  @inlinable func collectDirty(_ space: Space<Database>, _ range: VirtualRange) {
    let database = space.database
    for area in overlapping(space, range)
    where area.file != .none && !area.isPrivate && !area.flags.contains(.device) {
      var iterator = database.makeIterator(over: area.range.intersection(range))
      while let object = database.nextMapped(&iterator) {
        guard object.isPresent, object.isDirty else { continue }
        collectDirty(space, object)
      }
      database.endIteration(iterator)
    }
  }

  /// Moves the dirty bit of a translation to its page, which is not saved yet.
  @inlinable func collectDirty(_ space: Space<Database>, _ object: Database.Object) {
    do {
      space.database.settle(try space.database.testAndClearDirty(at: object.start).takeObligation())
    } catch { preconditionFailure("a page that was just seen is gone") }
    if !Mutation.syncLosesDirty.isPlanted { markDirty(object.frame) }
  }

  /// `mseal(address, length, flags)`.
  @inlinable func mseal(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let start = request.address(0)
    guard request[2] == 0, start.isAligned(to: .base) else { throw .einval }
    guard let length = pageAligned(request[1]), request[1] == 0 || length != 0,
      start.raw &+ length >= start.raw
    else { throw .einval }
    let range = VirtualRange(start, bytes: length)
    guard covers(process.space, range) else { throw .enomem }
    try checkHugeEdges(process.space, range)
    try commit(request)
    guard !range.isEmpty else { return 0 }
    try cutAtEdges(process.space, range)
    seal(process.space, range)
    return 0
  }

  @usableFromInline func seal(_ space: Space<Database>, _ range: VirtualRange) {
    countChange(space, space.layout.areas.update(range) { $0.flags.insert(.sealed) })
  }

  /// `remap_file_pages(address, size, protection, page offset, flags)`, which Linux emulates with a new mapping that it
  /// brings in, unless the flags are MAP_NONBLOCK.
  @inlinable
  func remapFilePages(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let space = process.space
    guard let piece = try planFilePages(space, request) else { return 0 }
    if piece.flags.contains(.hugeTLB) {
      try remapPooled(space, piece)
      return 0
    }
    // What is replaced may be all that leads to the file.
    hold(piece.file)
    unmap(space, piece.range)
    install(piece, in: space)
    releaseFile(piece.file)
    if !MapFlags(rawValue: request[4]).contains(.nonBlock) { populate(space, piece.range) }
    return 0
  }

  @usableFromInline
  func planFilePages(_ space: Space<Database>, _ request: SystemCallRequest) throws(Errno) -> VMA? {
    guard request[2] == 0 else { throw .einval }
    let start = request.address(0).aligned(down: .base)
    let length = request[1] & ~PageSize.base.mask
    guard start.raw &+ length > start.raw, request[3] &+ (length >> 12) >= request[3] else { throw .einval }
    guard let area = space.layout.areas.area(at: start), area.flags.contains(.shared) else { throw .einval }
    let range = VirtualRange(start, bytes: length)
    guard continues(space, area, to: range.end) else { throw .einval }
    if area.flags.contains(.hugeTLB) {
      let mask = pooledSize(of: area).mask
      guard (range.start.raw | range.end.raw | request[3] << 12) & mask == 0 else { throw .einval }
    }
    guard request[3] <= UInt64.max >> 12 else { throw .eoverflow }
    try checkFileEnd(files[area.file].kind, offset: request[3] << 12, length)
    try commit(request)
    var piece = area
    piece.range = range
    piece.offset = request[3] << 12
    return piece
  }

  /// Whether a mapping of the same file with the same properties goes on without a hole up to `end`: calls before this
  /// one may have cut it.
  private func continues(_ space: Space<Database>, _ first: VMA, to end: VirtualAddress) -> Bool {
    var last = first
    while last.range.end < end {
      guard let next = space.layout.areas.area(at: last.range.end), next.file == first.file,
        next.rights == first.rights,
        next.flags.symmetricDifference(first.flags).isSubset(of: [.hasPrivatePages, .hasHugePages])
      else { return false }
      last = next
    }
    return true
  }
}

extension Kernel {
  /// The kernel reads (`.load`) or writes (`.store`) user memory while it serves a call.
  @inlinable @inline(never)
  public func copyUser(
    _ process: Process<Database>, _ range: VirtualRange, _ kind: AccessKind
  ) throws(Errno) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    try checkKeys(process, range, kind)
    try touch(process.space, range, kind)
  }
}

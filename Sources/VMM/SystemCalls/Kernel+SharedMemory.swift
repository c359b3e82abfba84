// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `shmget(key, size, flags)`: IPC_CREAT 01000, IPC_EXCL 02000, SHM_HUGETLB 04000, SHM_NORESERVE 010000; the lowest
  /// nine bits are the mode.
  @usableFromInline func shmget(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno)
    -> UInt64
  {
    let (create, exclusive): (UInt64, UInt64) = (0o1000, 0o2000)
    let (key, size, flags) = (request[0] & 0xFFFF_FFFF, request[1], request[2])
    try excuse(request, [.eacces, .eperm])
    if let known = segments.identifier(ofKey: key), let segment = segments.segments[known] {
      if flags & (create | exclusive) == create | exclusive { throw .eexist }
      if size > segment.size { throw .einval }
      try checkAccess(process, segment, UInt32(truncatingIfNeeded: flags))
      return known
    }
    let isNew = key == 0 || flags & create != 0
    guard isNew || request.circumstances.isAccepted else { throw .enoent }
    guard size > 0 || !isNew, let bytes = pageAligned(size) else { throw .einval }
    if segments.count >= segments.maximumCount { throw .enospc }
    let file: FileID
    if flags & 0o4000 != 0, let pool = try poolForSegment(process, request) {
      file = try makeHugeSegment(request, pool, size)
    } else {
      let reserves = flags & 0o10000 == 0 || overcommit.mode == .never
      if reserves { try promise(bytes >> 12, process) }
      try commit(request)
      file = files.make(.sharedMemory, size: bytes, mayBeLarger: !isNew)
      if reserves { chargeSharedMemory(file, bytes >> 12) }
    }
    files.retain(file)
    var segment = SegmentRegistry.Segment(file: file, key: key, size: isNew ? size : .max)
    segment.mode = UInt32(truncatingIfNeeded: flags & 0o777)
    segment.owner = process.user
    segment.creator = process.user
    segment.creatorProcess = process.pid
    return segments.add(segment, as: request.circumstances.handle)
  }

  /// `shmat(identifier, address, flags)`: SHM_RDONLY 010000, SHM_RND 020000, SHM_REMAP 040000, SHM_EXEC 0100000.
  @inlinable func shmat(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let (area, replaces) = try planAttachment(process, request)
    if replaces {
      do { try cutAtEdges(process.space, area.range) } catch {
        detach(area.file)
        throw error
      }
      // The segment may be a removed one whose last attachment is replaced by this one.
      hold(area.file)
      unmap(process.space, area.range)
      install(area, in: process.space)
      releaseFile(area.file)
    } else {
      install(area, in: process.space)
    }
    if area.flags.contains(.locked), !area.flags.contains(.lockedOnFault) {
      populate(process.space, area.range)
    }
    return area.range.start.raw
  }

  @usableFromInline
  func planAttachment(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> (VMA, Bool)
  {
    let space = process.space
    let (readOnly, round, remap, execute): (UInt64, UInt64, UInt64, UInt64) = (
      0o10000, 0o20000, 0o40000, 0o100000
    )
    let (identifier, flags) = (request[0] & 0xFFFF_FFFF, request[2])
    var wish = request.address(1)
    if wish.raw != 0, !wish.isAligned(to: .base) {
      guard flags & round != 0 else { throw .einval }
      wish = wish.aligned(down: .base)
      if wish.raw == 0, flags & remap != 0 { throw .einval }
    } else if wish.raw == 0, flags & remap != 0 {
      throw .einval
    }
    try excuse(request, [.eacces, .eidrm])
    if segments.segments[identifier] == nil, request.circumstances.isAccepted {
      let file = files.make(.sharedMemory, size: PageSize.base.bytes, mayBeLarger: true)
      files.retain(file)
      _ = segments.add(SegmentRegistry.Segment(file: file, key: 0, size: .max), as: identifier)
    }
    guard let segment = segments.segments[identifier] else { throw .einval }
    try checkAccess(process, segment, (flags & readOnly == 0 ? 6 : 4) | (flags & execute == 0 ? 0 : 1))
    let huge = files[segment.file].hugeTLB
    let length = files[segment.file].size
    let start: VirtualAddress
    if wish.raw != 0 {
      start = wish
      if let huge, !wish.isAligned(to: huge.size) { throw .einval }
      guard length <= userEnd.raw, wish.raw <= userEnd.raw - length else { throw .einval }
      let target = VirtualRange(wish, bytes: length)
      if flags & remap == 0, !space.layout.areas.overlapping(target).isEmpty { throw .einval }
    } else if let placement = request.circumstances.placement {
      start = placement
    } else {
      start = try findRoom(space, length, near: VirtualAddress(0), huge?.size ?? .base)
    }
    if flags & remap != 0 {
      try checkUnsealed(space, VirtualRange(start, bytes: length))
      try checkHugeEdges(space, VirtualRange(start, bytes: length))
    }
    if space.layout.futureFlags.contains(.locked) {
      try space.layout.checkLockable(length, process.privileges, else: .eagain)
    }
    try space.layout.checkRoom(for: length, isData: false)
    try commit(request)
    segments.segments[identifier]?.attachments += 1
    var rights: Rights = flags & readOnly == 0 ? [.read, .write] : .read
    if flags & execute != 0 { rights.insert(.execute) }
    var properties: VMAFlags = [.shared, .mayExecute, .sharedMemorySegment]
    if flags & readOnly == 0 { properties.insert(.mayWrite) }
    properties.formUnion(space.layout.futureFlags)
    if huge != nil { properties.insert(.hugeTLB) }
    segments.segments[identifier]?.lastProcess = process.pid
    let area = VMA(VirtualRange(start, bytes: length), rights: rights, flags: properties, file: segment.file)
    return (area, flags & remap != 0)
  }

  /// `shmdt(address)`: detaches the segment whose first page is mapped at `address`.
  @inlinable func shmdt(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let start = request.address(0)
    guard start.isAligned(to: .base) else { throw .einval }
    let parts = attachedParts(process.space, start)
    guard let first = parts.first else { throw .einval }
    try commit(request)
    noteDetachment(of: first.file, by: process)
    // As on Linux, sealed parts stay and nobody is told.
    for part in parts where !part.flags.contains(.sealed) { unmap(process.space, part.range) }
    detach(first.file)
    return 0
  }

  /// The parts of the attachment that began at `start` which are still mapped.
  @usableFromInline func attachedParts(_ space: Space<Database>, _ start: VirtualAddress) -> [VMA] {
    let areas = space.layout.areas.areas
    let first = areas.first {
      $0.flags.contains(.sharedMemorySegment) && $0.range.start.raw &- start.raw == $0.offset
        && $0.range.start >= start
    }
    guard let first, let identifier = segments.identifier(of: first.file),
      let segment = segments.segments[identifier]
    else { return [] }
    let whole = VirtualRange(start, bytes: files[segment.file].size)
    return areas.filter {
      $0.file == first.file && $0.flags.contains(.sharedMemorySegment) && whole.contains($0.range)
        && $0.range.start.raw &- start.raw == $0.offset
    }
  }

  @usableFromInline func detach(_ file: FileID) {
    guard let identifier = segments.identifier(of: file) else { return }
    segments.segments[identifier]?.attachments -= 1
    dropIfDoomed(identifier)
  }

  /// - Returns: whether the file of a removed segment is gone, because its last mapping is.
  func dropDoomedSegment(of file: FileID) -> Bool {
    guard files[file].mappedPages == 0, files[file].holders == 1,
      let identifier = segments.identifier(of: file),
      segments.segments[identifier]?.isDoomed == true
    else { return false }
    dropIfDoomed(identifier)
    return true
  }

  @usableFromInline func hold(_ file: FileID) { files.retain(file) }

  /// A removed segment goes when nobody has it attached; its mappings keep its file alive until then.
  func dropIfDoomed(_ identifier: UInt64) {
    guard let segment = segments.segments[identifier], segment.isDoomed else { return }
    guard files[segment.file].mappedPages == 0 else { return }
    segments.segments[identifier] = nil
    releaseFile(segment.file)
  }

  /// Removes a segment whoever has it: at shutdown, when nobody has it mapped.
  func removeSegment(_ identifier: UInt64) {
    segments.segments[identifier]?.isDoomed = true
    dropIfDoomed(identifier)
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

// Who may do what with SysV segments, and what is known of them.
extension Kernel {
  /// `shmctl(identifier, command, buffer)`: IPC_RMID 0, IPC_SET 1, IPC_STAT 2 and the rest as far as they can be seen.
  ///
  /// A trace does not hold what is in the buffer, so calls of a replay do not touch it.
  @usableFromInline func shmctl(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno)
    -> UInt64
  {
    let (identifier, command) = (request[0] & 0xFFFF_FFFF, request[1] & ~0x100)
    let isReplayed = request.circumstances.isAccepted
    switch command {
    case 0:
      try excuse(request, [.eperm, .eacces, .eidrm])
      guard let segment = segments.segments[identifier] else {
        if isReplayed { break }
        throw .einval
      }
      try checkOwner(process, segment)
      try commit(request)
      segments.segments[identifier]?.isDoomed = true
      dropIfDoomed(identifier)
    case 1, 2:
      try excuse(request, [.eperm, .eacces, .eidrm, .efault])
      var change: (owner: UInt32, mode: UInt32)?
      if command == 1, !isReplayed {
        let owner = try loadUser(process, request.address(2).advanced(by: 4), bytes: 4)
        let mode = try loadUser(process, request.address(2).advanced(by: 20), bytes: 4)
        change = (UInt32(owner), UInt32(mode) & 0o777)
      }
      guard let segment = segments.segments[identifier] else {
        if isReplayed { break }
        throw .einval
      }
      if command == 2 { try checkAccess(process, segment, 4) } else { try checkOwner(process, segment) }
      try commit(request)
      if let change {
        segments.segments[identifier]?.owner = change.owner
        segments.segments[identifier]?.mode = change.mode
      }
      if command == 2, !isReplayed { try describe(segment, process, request.address(2)) }
    case 11, 12:
      try excuse(request, [.eperm, .eacces, .eidrm, .enomem])
      guard let segment = segments.segments[identifier] else {
        if isReplayed { break }
        throw .einval
      }
      if !process.privileges.contains(.lockMemory) { try checkOwner(process, segment) }
      if command == 11 { try process.space.layout.checkMayLock(process.privileges) }
      try commit(request)
      setLocked(identifier, command == 11)
    case 14 where !isReplayed:
      try commit(request)
      try summarizeSegments(process, request.address(2))
      return UInt64(max(segments.count, 1) - 1)
    case 3, 13, 14, 15:
      // SHM_STAT takes a slot number, which nothing here knows.
      try excuse(request, [.einval, .eacces, .efault])
      try commit(request)
      return request.circumstances.handle ?? 0
    default: throw .einval
    }
    return 0
  }

  /// Checks that a process may use a segment so (Linux: `ipcperms`, without groups).
  /// - Parameter wanted: three bits, or nine as in a mode, of which any counts.
  func checkAccess(
    _ process: Process<Database>, _ segment: SegmentRegistry.Segment, _ wanted: UInt32
  ) throws(Errno) {
    let isOwner = process.user == segment.owner || process.user == segment.creator
    let granted = isOwner ? segment.mode >> 6 : segment.mode
    let asked = (wanted >> 6 | wanted >> 3 | wanted) & 7
    if asked & ~granted != 0, !process.privileges.contains(.administer) { throw .eacces }
  }

  private func checkOwner(
    _ process: Process<Database>, _ segment: SegmentRegistry.Segment
  ) throws(Errno) {
    let isOwner = process.user == segment.owner || process.user == segment.creator
    guard isOwner || process.privileges.contains(.administer) else { throw .eperm }
  }

  /// Writes a segment's `struct shmid_ds`. There is no clock, so times are zero.
  private func describe(
    _ segment: SegmentRegistry.Segment, _ process: Process<Database>, _ buffer: VirtualAddress
  ) throws(Errno) {
    let mode = segment.mode | (segment.isDoomed ? 0o1000 : 0) | (segment.isLocked ? 0o2000 : 0)
    let words: [UInt64] = [
      (segment.isDoomed ? 0 : segment.key) | UInt64(segment.owner) << 32, UInt64(segment.creator) << 32,
      UInt64(mode) << 32, 0, 0, 0, segment.size, 0, 0, 0,
      UInt64(segment.creatorProcess) | UInt64(segment.lastProcess) << 32, attachments(of: segment), 0, 0,
    ]
    for (index, word) in words.enumerated() {
      try storeUser(word, process, buffer.advanced(by: UInt64(index) * 8))
    }
  }

  /// SHM_LOCK and SHM_UNLOCK: whether reclaim leaves a segment alone. Pooled pages stay in any case.
  private func setLocked(_ identifier: UInt64, _ isLocked: Bool) {
    guard let segment = segments.segments[identifier], files[segment.file].hugeTLB == nil else { return }
    segments.segments[identifier]?.isLocked = isLocked
    let file = files[segment.file]
    file.staysInMemory = isLocked
    guard !isLocked else { return }
    for page in file.pages.pages(in: 0..<PageIndex.maximumPages) {
      if let frame = file.pages[page] { takeFromLocked(frame) }
    }
  }

  /// Writes SHM_INFO's `struct shm_info`: how many segments there are, and how many base pages they have, have in memory
  /// and have in swap.
  private func summarizeSegments(
    _ process: Process<Database>, _ buffer: VirtualAddress
  ) throws(Errno) {
    var words: [UInt64] = [UInt64(segments.count), 0, 0, 0, 0, 0]
    for segment in segments.segments.values {
      let file = files[segment.file]
      words[1] += file.size >> 12
      let pagesOfOne = file.hugeTLB.map { $0.size.bytes >> 12 } ?? 1
      words[2] += UInt64(file.pages.count) * pagesOfOne
      words[3] += UInt64(file.slots.positions(in: 0..<PageIndex.maximumPages).count { file.pages[$0] == nil })
    }
    for (index, word) in words.enumerated() {
      try storeUser(word, process, buffer.advanced(by: UInt64(index) * 8))
    }
  }

  /// How many areas of all address spaces map a segment: forks and exits count, as on Linux.
  func attachments(of segment: SegmentRegistry.Segment) -> UInt64 {
    spaces.reduce(0) { sum, space in
      sum
        + UInt64(
          space.layout.areas.areas.count {
            $0.file == segment.file && $0.flags.contains(.sharedMemorySegment)
          })
    }
  }

  @usableFromInline func noteDetachment(of file: FileID, by process: Process<Database>) {
    guard let identifier = segments.identifier(of: file) else { return }
    segments.segments[identifier]?.lastProcess = process.pid
  }

  /// The pool that SHM_HUGETLB names.
  /// - Returns: nil for ordinary pages, in a replay whose driver has no pages of that size.
  func poolForSegment(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> Int? {
    guard let pool = poolNumber(logarithm: request[2] >> 26) else {
      if request.circumstances.isAccepted { return nil }
      throw .einval
    }
    let mayMake = process.privileges.contains(.lockMemory) || process.user == hugeSegmentUser
    if !mayMake, !request.circumstances.isAccepted { throw .eperm }
    return pool
  }

  /// The file of a segment of pooled pages, all of which are promised when it is made.
  func makeHugeSegment(_ request: SystemCallRequest, _ pool: Int, _ size: UInt64) throws(Errno) -> FileID {
    let mask = poolCell.value[pool].size.mask
    let (sum, overflow) = size.addingReportingOverflow(mask)
    if overflow { throw .einval }
    let bytes = sum & ~mask
    try commit(request)
    let pages = request[2] & 0o10000 == 0 ? bytes >> UInt64(poolCell.value[pool].size.shift) : 0
    guard reserve(pages, in: pool) else {
      if hugePoolsFollowDemand { timesOutOfMemory &+= 1 }
      throw .enomem
    }
    let file = makeHugeFile(pool: pool, size: bytes, isSegment: true)
    files[file].hugeTLB?.reserved = Set(0..<pages)
    return file
  }
}

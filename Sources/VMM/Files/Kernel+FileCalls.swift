// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// The open file in `argument` of a call. A descriptor that is not known, but that the real kernel accepted, was
  /// opened before anybody watched: a file of unknown size stands for it.
  @usableFromInline
  func openFile(
    _ process: Process<Database>, _ request: SystemCallRequest, argument: Int
  ) throws(Errno) -> OpenFile {
    let descriptor = request.descriptor(argument)
    if let file = process.descriptors[descriptor] {
      if file.isPath, !request.circumstances.isAccepted { throw .ebadf }
      if files[file.file].kind == .special { try excuse(request, Set(Errno.allCases)) }
      return file
    }
    guard request.circumstances.isAccepted else {
      if request.circumstances.refusal != .ebadf { try excuse(request, Set(Errno.allCases)) }
      throw .ebadf
    }
    let file = OpenFile(file: files.make(.regular, mayBeLarger: true))
    open(process, descriptor, file)
    return file
  }

  /// Makes a descriptor refer to an open file.
  @usableFromInline func open(_ process: Process<Database>, _ descriptor: UInt32, _ file: OpenFile) {
    if file.descriptors == 0 { files.retain(file.file) }
    if let lost = process.descriptors.set(descriptor, file) { releaseFile(lost.file) }
  }

  /// Frees a descriptor.
  @usableFromInline func close(_ process: Process<Database>, _ descriptor: UInt32) {
    if let lost = process.descriptors.close(descriptor) { releaseFile(lost.file) }
  }

  /// `memfd_create(name, flags)`: MFD_CLOEXEC 1, MFD_ALLOW_SEALING 2, MFD_HUGETLB 4, MFD_NOEXEC_SEAL 8, MFD_EXEC 16.
  @usableFromInline
  func memfdCreate(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let flags = request[1]
    let known: UInt64 = flags & 4 != 0 ? 0xFC00_0000 | 31 : 31
    guard flags & ~known == 0, flags & 24 != 24 else { throw .einval }
    if let name = request.strings[0] {
      if name.utf8.count > 249 { throw .einval }
    } else if request.circumstances == Circumstances() {
      try checkName(process, at: request.address(0))
    } else {
      try excuse(request, [.einval, .efault])
    }
    try excuse(request, [.eacces, .eperm, .enosys, .enfile, .enodev])
    let pool = flags & 4 != 0 ? poolNumber(logarithm: flags >> 26) : nil
    if flags & 4 != 0, pool == nil, !request.circumstances.isAccepted { throw .enodev }
    try commit(request)
    let mayBeSealed = flags & 2 != 0 || flags & 8 != 0
    var seals: Seals = mayBeSealed ? [] : .seal
    if flags & 8 != 0 { seals.insert(.execute) }
    let id = pool.map { makeHugeFile(pool: $0, seals: seals) } ?? files.make(.sharedMemory, seals: seals)
    files[id].mayExecute = flags & 8 == 0
    let file = OpenFile(file: id)
    let descriptor = request.circumstances.handle.map { UInt32(truncatingIfNeeded: $0) }
    let chosen = descriptor ?? process.descriptors.lowestFree
    open(process, chosen, file)
    return UInt64(chosen)
  }

  /// A name in user memory has 249 bytes at most.
  private func checkName(_ process: Process<Database>, at address: VirtualAddress) throws(Errno) {
    for index in 0...249 as ClosedRange<UInt64> {
      if try loadUser(process, address.advanced(by: index), bytes: 1) == 0 { return }
    }
    throw .einval
  }

  /// `fcntl(descriptor, command, seals)` for F_ADD_SEALS 1033 and F_GET_SEALS 1034.
  @usableFromInline
  func sealsCommand(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let file = try openFile(process, request, argument: 0)
    let object = files[file.file]
    guard object.kind == .sharedMemory || object.kind == .hugeTLB else { throw .einval }
    guard request[1] == 1033 else { return UInt64(object.seals.rawValue) }
    guard file.isWritable else { throw .eperm }
    var wanted = Seals(rawValue: UInt32(truncatingIfNeeded: request[2]))
    guard wanted.isSubset(of: .all) else { throw .einval }
    guard !object.seals.contains(.seal) else { throw .eperm }
    if wanted.contains(.execute), object.mayExecute {
      wanted.formUnion([.shrink, .grow, .write, .futureWrite])
    }
    if wanted.contains(.write), !object.seals.contains(.write), object.writableMappedPages > 0 {
      throw .ebusy
    }
    try commit(request)
    object.seals.formUnion(wanted)
    return 0
  }

  /// `ftruncate(descriptor, length)`.
  @usableFromInline
  func ftruncate(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard Int64(bitPattern: request[1]) >= 0 else { throw .einval }
    let file = try openFile(process, request, argument: 0)
    let object = files[file.file]
    guard object.kind != .notMappable, object.kind != .device, file.isWritable else { throw .einval }
    if let huge = object.hugeTLB, request[1] & huge.size.mask != 0 { throw .einval }
    if object.seals.contains(.shrink), request[1] < object.size { throw .eperm }
    if object.seals.contains(.grow), request[1] > object.size { throw .eperm }
    try excuse(request, [.eperm, .eacces, .etxtbsy, .efbig, .eintr, .eio, .erofs])
    if request[1] >> 12 >= PageIndex.maximumPages { throw .efbig }
    try commit(request)
    if object.hugeTLB != nil {
      try setHugeSize(of: file.file, to: request[1])
    } else {
      setSize(of: file.file, to: request[1])
    }
    return 0
  }

  /// `fallocate(descriptor, mode, offset, length)`: keep size 1, punch hole 2, collapse 8, zero 16, insert 32,
  /// unshare 64.
  @usableFromInline
  func fallocate(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let (mode, offset, length) = (request[1] & 0xFFFF_FFFF, request[2], request[3])
    let file = try openFile(process, request, argument: 0)
    guard Int64(bitPattern: offset) >= 0, Int64(bitPattern: length) > 0 else { throw .einval }
    guard mode & ~127 == 0 else { throw .eopnotsupp }
    let punch = mode & 2 != 0
    if punch, mode & 1 == 0 { throw .eopnotsupp }
    let object = files[file.file]
    guard file.isWritable else { throw .ebadf }
    guard object.kind != .notMappable, object.kind != .device else {
      throw request.circumstances.verdict ?? .enodev
    }
    let (end, overflow) = offset.addingReportingOverflow(length)
    guard !overflow, end >> 12 < PageIndex.maximumPages else { throw .efbig }
    if object.kind == .sharedMemory || object.kind == .hugeTLB, mode & ~3 != 0 { throw .eopnotsupp }
    if punch, !object.seals.isDisjoint(with: [.write, .futureWrite]) { throw .eperm }
    if !punch, object.seals.contains(.grow), end > object.size { throw .eperm }
    if object.kind == .regular {
      try excuse(request, [.einval, .eopnotsupp, .eperm, .etxtbsy, .efbig, .eintr, .eio, .erofs, .enodev])
    }
    try commit(request)
    if object.hugeTLB != nil {
      try allocateHuge(file.file, offset..<end, mode: mode)
      return 0
    }
    if punch || mode & 16 != 0 { clear(file.file, offset..<end) }
    switch mode {
    case 8: cutOut(file.file, offset..<end)
    case 32: setSize(of: file.file, to: object.size &+ length)
    default: if mode & 1 == 0 { object.reach(end) }
    }
    return 0
  }

  /// FALLOC_FL_COLLAPSE_RANGE: what lies behind `bytes` moves down, so all of it has to be mapped anew.
  private func cutOut(_ id: FileID, _ bytes: Range<UInt64>) {
    let file = files[id]
    let (size, mayBeLarger) = (file.size, file.mayBeLarger)
    setSize(of: id, to: bytes.lowerBound)
    file.size = max(size, bytes.upperBound) - UInt64(bytes.count)
    file.mayBeLarger = mayBeLarger
  }

  /// Makes the bytes of a file read as zero; whole pages go.
  private func clear(_ id: FileID, _ bytes: Range<UInt64>) {
    let first = (bytes.lowerBound + PageSize.base.mask) >> 12
    let last = bytes.upperBound >> 12
    for (part, page) in [
      (bytes.lowerBound..<min(first << 12, bytes.upperBound), bytes.lowerBound >> 12),
      (max(last << 12, bytes.lowerBound)..<bytes.upperBound, bytes.upperBound >> 12),
    ] where !part.isEmpty {
      let offset = part.lowerBound & PageSize.base.mask
      guard let frame = files[id].pages[page] else {
        zeroEvicted(files[id], page, offset..<offset + part.upperBound - part.lowerBound)
        continue
      }
      let start = frame.address.advanced(by: offset)
      platform.frames.table.mark(.dirty, frame)
      platform.memory.zero(start, bytes: part.upperBound - part.lowerBound)
    }
    guard first < last else { return }
    unmapEverywhere(id, first..<last, includingCopies: false)
    forgetPages(of: id, first..<last)
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `userfaultfd(flags)`: UFFD_USER_MODE_ONLY 1, O_NONBLOCK 0x800, O_CLOEXEC 0x80000.
  /// - Throws: `.eperm` without UFFD_USER_MODE_ONLY and without `Privileges.trace`, `.einval`.
  @usableFromInline
  func userfaultfd(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    guard request[0] & 1 != 0 || process.privileges.contains(.trace) else { throw .eperm }
    return try makeUserfault(process, flags: request[0], request)
  }

  /// A userfaultfd for the process's address space: by the call, or by a command of `/dev/userfaultfd`, whose permissions
  /// stand for the privilege then.
  @usableFromInline
  func makeUserfault(
    _ process: Process<Database>, flags: UInt64, _ request: SystemCallRequest
  ) throws(Errno) -> UInt64 {
    guard flags & ~0x80801 == 0 else { throw .einval }
    try commit(request)
    counters.value.watchesLayout = true
    let file = files.make(.notMappable)
    files[file].userfault = Userfault(space: process.space.number)
    userfaults.append(file)
    let descriptor = process.descriptors.lowestFree
    open(process, descriptor, OpenFile(file: file, isWritable: false))
    return UInt64(descriptor)
  }

  /// `ioctl(descriptor, command, structure)` of a userfaultfd.
  @inlinable
  func ioctl(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    if let device = try userfaultDevice(process, request) { return device }
    let (id, userfault) = try userfault(process, request)
    guard let command = UserfaultCommand(rawValue: request[1] & 0xFFFF_FFFF) else { throw .einval }
    var words: [UInt64] = []
    for index in 0..<command.words {
      words.append(try loadUser(process, request.address(2).advanced(by: index &* 8)))
    }
    if command == .api { return try agree(process, userfault, words, request.address(2)) }
    let space = try spaceOf(userfault)
    if userfault.isChanging, command.providesPages {
      try storeUser(
        0 &- UInt64(Errno.eagain.rawValue), process, request.address(2).advanced(by: command.words &* 8))
      throw .eagain
    }
    switch command {
    case .api: break
    case .register:
      let supported = try register(space, id, words)
      try storeUser(supported, process, request.address(2).advanced(by: 24))
    case .unregister: try unregister(space, id, userfault, words)
    case .wake: wake(userfault, try userfaultRange(words[0], words[1]))
    case .move:
      let move = try planMove(space, id, words)
      let (done, failure) = movePages(space, move)
      let result = done > 0 ? done : 0 &- UInt64(failure?.rawValue ?? 0)
      try storeUser(result, process, request.address(2).advanced(by: 32))
      if done > 0, move.wakes { wake(userfault, VirtualRange(move.target.start, bytes: done)) }
      if let failure { throw done > 0 ? .eagain : failure }
    case .copy, .zeroPage, .proceed, .poison:
      let fill = try planFill(space, command, words)
      let (done, failure) = fillPages(process, space, fill)
      let result = done > 0 ? done : 0 &- UInt64(failure?.rawValue ?? 0)
      try storeUser(result, process, request.address(2).advanced(by: UInt64(words.count) &* 8))
      if done > 0, fill.wakes { wake(userfault, VirtualRange(fill.range.start, bytes: done)) }
      if let failure { throw done > 0 ? .eagain : failure }
    case .writeProtect: try writeProtect(space, id, userfault, words)
    }
    return 0
  }

  /// USERFAULTFD_IOC_NEW (0xAA00) of `/dev/userfaultfd`.
  /// - Returns: the new descriptor; nil for other files.
  @usableFromInline
  func userfaultDevice(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64? {
    guard let file = process.descriptors[request.descriptor(0)], file.path == "/dev/userfaultfd" else {
      return nil
    }
    guard request[1] & 0xFFFF_FFFF == 0xAA00 else { throw .einval }
    return try makeUserfault(process, flags: request[2], request)
  }

  @usableFromInline
  func userfault(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> (
    FileID, Userfault
  ) {
    guard let file = process.descriptors[request.descriptor(0)] else { throw .ebadf }
    guard let userfault = files[file.file].userfault else { throw .enotty }
    return (file.file, userfault)
  }

  @usableFromInline func spaceOf(_ userfault: Userfault) throws(Errno) -> Space<Database> {
    guard userfault.isReady else { throw .einval }
    guard let number = userfault.space, let space = spaceCell.value[Int(number)] else { throw .esrch }
    return space
  }

  @usableFromInline func wake(_ userfault: Userfault, _ range: VirtualRange) { userfault.wake(range) }

  /// UFFDIO_API: `(0xAA, features, commands out)`; both sides say what they can do.
  @inlinable
  func agree(
    _ process: Process<Database>, _ userfault: Userfault, _ words: [UInt64], _ structure: VirtualAddress
  ) throws(Errno) -> UInt64 {
    if words[1] & Userfault.eventFork != 0, !process.privileges.contains(.trace) { throw .eperm }
    let answer = agreement(userfault, words)
    for (index, word) in (answer ?? [0, 0, 0]).enumerated() {
      try storeUser(word, process, structure.advanced(by: UInt64(index) &* 8))
    }
    guard answer != nil else { throw .einval }
    return 0
  }

  @usableFromInline func agreement(_ userfault: Userfault, _ words: [UInt64]) -> [UInt64]? {
    guard !userfault.isReady, words[0] == 0xAA, words[1] & ~Userfault.knownFeatures == 0 else { return nil }
    userfault.isReady = true
    userfault.features = words[1]
    let commands: [UserfaultCommand] = [.api, .register, .unregister]
    return [0xAA, Userfault.knownFeatures, commands.reduce(0) { $0 | $1.bit }]
  }

  /// A range of whole user pages.
  @usableFromInline func userfaultRange(_ start: UInt64, _ bytes: UInt64) throws(Errno) -> VirtualRange {
    guard (start | bytes) & PageSize.base.mask == 0, bytes > 0, start <= userEnd.raw,
      bytes <= userEnd.raw - start
    else { throw .einval }
    return VirtualRange(VirtualAddress(start), bytes: bytes)
  }

  /// The address space is gone: nothing is left to answer for.
  func forgetUserfaults(of space: UInt16) {
    discardNewborns(of: space)
    for id in userfaults where files[id].userfault?.space == space {
      files[id].userfault?.space = nil
      files[id].userfault?.waiting = []
    }
  }

  /// The last descriptor is closed: faults that wait are tried again as if nobody had asked for them.
  func closeUserfault(_ id: FileID) {
    guard let userfault = files[id].userfault else { return }
    userfaults.removeAll { $0 == id }
    files[id].userfault = nil
    // Children that nobody was told of are not watched.
    for event in userfault.events where event.kind == .fork { releaseFile(event.file) }
    guard let number = userfault.space, let space = spaceCell.value[Int(number)] else { return }
    disarm(space, id, VirtualRange(VirtualAddress(0), userEnd))
  }
}

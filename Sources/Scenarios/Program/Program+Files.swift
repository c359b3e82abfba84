// SPDX-License-Identifier: MIT
public import SimMemory
public import VMM

/// How a file is opened.
public enum OpenMode: UInt64, Sendable {
  /// O_RDONLY.
  case readOnly = 0
  /// O_WRONLY.
  case writeOnly = 1
  /// O_RDWR.
  case readWrite = 2
}

// Files. Their contents are real: what is written is loaded through mappings, and the other way round.
extension Program {
  /// A new file, opened for reading and writing: `size` bytes of zeroes behind `contents`.
  /// - Parameter name: its path; `/dev/shm/…` is shared memory. Without one it is a temporary file.
  public func file(
    _ contents: String = "", size: UInt64 = 0, name: String? = nil
  ) throws(Errno) -> Descriptor {
    try file(bytes: Array(contents.utf8), size: size, name: name)
  }

  /// A new file with `bytes`.
  public func file(bytes: [UInt8], size: UInt64 = 0, name: String? = nil) throws(Errno) -> Descriptor {
    let path = name ?? "/tmp/\(pid)-\(host.files.count)"
    let file = try open(path, .readWrite, creates: true, truncates: true)
    if name == nil { try unlink(path) }
    if !bytes.isEmpty { try write(file, bytes) }
    if size > UInt64(bytes.count) { try truncate(file, size) }
    return file
  }

  /// `open`; one that only names the file is O_PATH.
  /// - Throws: `.enoent` where there is no such file, `.eexist` where there is and it must be new.
  public func open(
    _ path: String, _ mode: OpenMode = .readWrite, creates: Bool = false, exclusive: Bool = false,
    truncates: Bool = false, appends: Bool = false, onlyNames: Bool = false
  ) throws(Errno) -> Descriptor {
    let flags =
      mode.rawValue | (creates ? 0o100 : 0) | (exclusive ? 0o200 : 0) | (truncates ? 0o1000 : 0)
      | (appends ? 0o2000 : 0) | (onlyNames ? 0o10000000 : 0)
    let isThere = host.files.named(path) != nil
    return try act("open(\"\(path)\", \(mode))") { () throws(Errno) in
      if !isThere, !creates, !path.hasPrefix("/dev/") || path.hasPrefix("/dev/shm/") { throw .enoent }
      if isThere, exclusive { throw .eexist }
      var number: UInt32 = 3
      while host.openFile(pid, number) != nil { number += 1 }
      host.follow(pid, FileCall(.open, [0, flags], strings: [0: path], result: UInt64(number)))
      // A new file is empty: nobody else has written to it.
      if !isThere, let file = host.openFile(pid, number) { host.files[file.file].mayBeLarger = false }
      return Descriptor(UInt64(number))
    }
  }

  /// Opens something that cannot be mapped, as a directory, a pipe or a terminal are.
  public func openUnmappable(_ path: String = "/tmp") -> Descriptor {
    var number: UInt32 = 3
    while host.openFile(pid, number) != nil { number += 1 }
    note("open(\"\(path)\", O_DIRECTORY) = \(number)")
    host.follow(pid, FileCall(.open, [0, 0o200000], strings: [0: path], result: UInt64(number)))
    return Descriptor(UInt64(number))
  }

  /// `close`.
  public func close(_ file: Descriptor) {
    note("close(\(file.text))")
    host.follow(pid, FileCall(.close, [file.number], strings: [:], result: 0))
  }

  /// `dup`.
  public func duplicate(_ file: Descriptor) -> Descriptor {
    var number: UInt32 = 3
    while host.openFile(pid, number) != nil { number += 1 }
    note("dup(\(file.text)) = \(number)")
    host.follow(pid, FileCall(.dup, [file.number], strings: [:], result: UInt64(number)))
    return Descriptor(UInt64(number))
  }

  /// `unlink`.
  public func unlink(_ path: String) throws(Errno) {
    try act("unlink(\"\(path)\")") { () throws(Errno) in
      guard host.files.named(path) != nil else { throw .enoent }
      host.follow(pid, FileCall(.unlink, [], strings: [0: path], result: 0))
    }
  }

  /// `ftruncate`.
  public func truncate(_ file: Descriptor, _ size: UInt64) throws(Errno) {
    try call(.ftruncate, ["file": file, "size": size])
  }

  /// `fallocate`: keep size 1, punch hole 2, collapse 8, zero 16, insert 32.
  public func allocate(_ file: Descriptor, mode: UInt64 = 0, offset: UInt64, bytes: UInt64) throws(Errno) {
    try call(.fallocate, ["file": file, "mode": mode, "offset": offset, "bytes": bytes])
  }

  /// `memfd_create`, and a size: MFD_CLOEXEC 1, MFD_ALLOW_SEALING 2, MFD_HUGETLB 4.
  public func memfd(size: UInt64 = 0, flags: UInt64 = 2, name: String = "memory") throws(Errno) -> Descriptor
  {
    let file = Descriptor(try call(.memfdCreate, ["name": 0, "flags": flags], strings: [0: name]))
    if size > 0 { try truncate(file, size) }
    return file
  }

  /// F_ADD_SEALS.
  public func addSeals(_ file: Descriptor, _ seals: Seals) throws(Errno) {
    try call(.fcntl, ["file": file, "command": 1033, "seals": UInt64(seals.rawValue)])
  }

  /// A file's size (fstat).
  public func size(_ file: Descriptor) -> UInt64 {
    host.openFile(pid, file.low).map { host.files[$0.file].size } ?? 0
  }

  /// `pread`: bytes of a file, without a place in user memory.
  public func read(_ file: Descriptor, at offset: UInt64 = 0, _ count: UInt64) throws(Errno) -> [UInt8] {
    try act("read(\(file.text), at: \(offset), bytes: \(count))") { () throws(Errno) in
      guard let open = host.openFile(pid, file.low), open.isReadable else { throw .ebadf }
      return try host.readFile(open.file, at: offset, count: count)
    }
  }

  /// `pwrite`, with bytes that are not in user memory.
  public func write(_ file: Descriptor, at offset: UInt64 = 0, _ bytes: [UInt8]) throws(Errno) {
    try act("write(\(file.text), at: \(offset), bytes: \(bytes.count))") { () throws(Errno) in
      guard let open = host.openFile(pid, file.low), open.isWritable else { throw .ebadf }
      try host.writeFile(open.file, at: offset, bytes)
    }
  }

  /// `pwrite` of a text.
  public func write(_ file: Descriptor, at offset: UInt64 = 0, _ text: String) throws(Errno) {
    try write(file, at: offset, Array(text.utf8))
  }

  /// `pread` into user memory; without an offset `read`.
  @discardableResult
  public func read(_ file: Descriptor, into address: UInt64, _ count: UInt64, at offset: UInt64? = nil)
    throws(Errno) -> UInt64
  {
    try act("read(\(file.text), address: \(address.text), bytes: \(count))") { () throws(Errno) in
      try host.moveFileBytes(pid, file.low, address, count: count, at: offset, .store)
    }
  }

  /// `pwrite` from user memory; without an offset `write`.
  @discardableResult
  public func write(_ file: Descriptor, from address: UInt64, _ count: UInt64, at offset: UInt64? = nil)
    throws(Errno) -> UInt64
  {
    try act("write(\(file.text), address: \(address.text), bytes: \(count))") { () throws(Errno) in
      try host.moveFileBytes(pid, file.low, address, count: count, at: offset, .load)
    }
  }

  /// A file must hold `text` at `offset`.
  public func expectContents(_ file: Descriptor, at offset: UInt64 = 0, _ text: String) {
    expectContents(file, at: offset, Array(text.utf8))
  }

  /// A file must hold `bytes` at `offset`.
  public func expectContents(_ file: Descriptor, at offset: UInt64 = 0, _ bytes: [UInt8]) {
    do {
      let got = try read(file, at: offset, UInt64(bytes.count))
      guard got != bytes else { return }
      let place = zip(got, bytes).enumerated().first { $1.0 != $1.1 }
      guard let (index, (found, wanted)) = place else {
        return scenario.fail("\(bytes.count) bytes of the file at \(offset)", "it ends after \(got.count)")
      }
      scenario.fail("\(wanted) in the file at \(offset + UInt64(index))", "\(found)")
    } catch { scenario.fail("the file is read", error.name) }
  }

  /// The kernel reads (`.load`) or writes user memory on behalf of a call that is not simulated.
  public func copyUser(_ address: UInt64, bytes: UInt64, _ kind: AccessKind) throws(Errno) {
    try act("the kernel's \(kind) at \(address.text), \(bytes) bytes") { () throws(Errno) in
      try host.copyUser(pid, VirtualRange(VirtualAddress(address), bytes: bytes), kind)
    }
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// A program that nobody watches runs: files may grow unseen.
  public func noteUnseenWriters() {
    for id in files.all where files[id].kind == .regular { files[id].mayBeLarger = true }
  }

  /// Follows a file call that succeeded.
  public func follow(_ process: Process<Database>, _ call: FileCall) {
    let file = process.descriptors[call.descriptor(0)]
    switch call.number {
    case .open: followOpen(process, call, path: 0, flags: call[1])
    case .creat: followOpen(process, call, path: 0, flags: 0x241)
    case .openat: followOpen(process, call, path: 1, flags: call[2])
    case .openat2: followOpen(process, call, path: 1, flags: 2)
    case .closeRange: followCloseRange(process, call)
    case .close: close(process, call.descriptor(0))
    case .dup: duplicate(process, call)
    case .dup2, .dup3: duplicate(process, call)
    case .fcntl: if call[1] == 0 || call[1] == 1030 { duplicate(process, call) }
    case .lseek: file?.position = call.result
    case .read, .readv: if let file { followRead(file, call) }
    case .write, .writev: if let file { followWrite(file, call) }
    case .pread: if let file, call.result > 0 { files[file.file].reach(call[3] &+ call.result) }
    case .pwrite: if let file { files[file.file].reach(call[3] &+ call.result) }
    case .truncate:
      if let id = files.named(path(process, call.strings[0] ?? "")) { resize(id, to: call[1]) }
    case .chdir: process.directory = path(process, call.strings[0] ?? "")
    case .fchdir: if let file { process.directory = file.path }
    case .link: followLink(process, call, from: nil, to: nil)
    case .linkat: followLink(process, call, from: (0, 1), to: (2, 3))
    case .unlink: forgetName(path(process, call.strings[0] ?? ""))
    case .unlinkat: forgetName(path(process, call.strings[1] ?? "", from: call.descriptor(0)))
    case .rename: followRename(process, call, from: nil, to: nil)
    case .renameat, .renameat2: followRename(process, call, from: (0, 1), to: (2, 3))
    case .sendfile, .pwritev, .pwritev2: if let file { files[file.file].mayBeLarger = true }
    case .copyFileRange, .splice:
      if let target = process.descriptors[call.descriptor(2)] { files[target.file].mayBeLarger = true }
    }
  }

  /// A file that was opened: a known one by its name, or one that is new here and may be larger than what is seen of
  /// it.
  private func followOpen(_ process: Process<Database>, _ call: FileCall, path index: Int, flags: UInt64) {
    let (exclusive, truncate, append): (UInt64, UInt64, UInt64) = (0o200, 0o1000, 0o2000)
    let (directory, temporary): (UInt64, UInt64) = (0o200000, 0o20200000)
    let name = path(process, call.strings[index] ?? "", from: index == 1 ? call.descriptor(0) : nil)
    let isTemporary = flags & temporary == temporary
    let isFresh = flags & (exclusive | truncate) != 0 || isTemporary
    let kind: FileObject.Kind =
      flags & directory != 0 && !isTemporary ? .notMappable : self.kind(ofPath: name)
    let id: FileID
    if let original = descriptor(inPath: name), let known = process.descriptors[original] {
      id = known.file
    } else if let known = files.named(name), !isTemporary {
      id = known
    } else {
      let huge = kind == .notMappable ? nil : makeMountedHugeFile(name, mayBeLarger: !isFresh)
      id = huge ?? files.make(kind, mayBeLarger: !isFresh || kind == .special)
      if !name.isEmpty, !isTemporary { _ = files.name(id, name) }
    }
    if flags & truncate != 0, files[id].kind != .special, files[id].kind != .device { resize(id, to: 0) }
    let mode = flags & 3
    let file = OpenFile(
      file: id, path: name, isReadable: mode != 1, isWritable: mode == 1 || mode == 2,
      appends: flags & append != 0, isPath: flags & 0o10000000 != 0)
    open(process, UInt32(truncatingIfNeeded: call.result), file)
  }

  private func kind(ofPath name: String) -> FileObject.Kind {
    if name.hasPrefix("/dev/shm/") { return .sharedMemory }
    return ["/dev/", "/proc/", "/sys/"].contains { name.hasPrefix($0) } ? .special : .regular
  }

  /// The descriptor that a path like `/proc/self/fd/3` leads to.
  private func descriptor(inPath name: String) -> UInt32? {
    let parts = name.split(separator: "/")
    if parts.count == 3, parts[0] == "dev", parts[1] == "fd" { return UInt32(parts[2]) }
    guard parts.count == 4, parts[0] == "proc", parts[2] == "fd" else { return nil }
    return UInt32(parts[3])
  }

  /// CLOSE_RANGE_CLOEXEC (4) closes nothing now.
  private func followCloseRange(_ process: Process<Database>, _ call: FileCall) {
    guard call[2] & 4 == 0 else { return }
    let (first, last) = (call.descriptor(0), call.descriptor(1))
    for descriptor in process.descriptors.all where first <= descriptor && descriptor <= last {
      close(process, descriptor)
    }
  }

  private func duplicate(_ process: Process<Database>, _ call: FileCall) {
    let target = UInt32(truncatingIfNeeded: call.result)
    guard target != call.descriptor(0) else { return }
    if let file = process.descriptors[call.descriptor(0)] {
      open(process, target, file)
    } else {
      close(process, target)
    }
  }

  /// A short read ends where the file ends.
  private func followRead(_ file: OpenFile, _ call: FileCall) {
    let object = files[file.file]
    file.position &+= call.result
    guard object.kind != .special else { return }
    object.reach(file.position)
    let wasShort = call.number == .read && call.result < call[2] && call.result != 0
    if object.kind == .regular, wasShort, object.size == file.position { object.mayBeLarger = false }
  }

  private func followWrite(_ file: OpenFile, _ call: FileCall) {
    if file.appends { file.position = files[file.file].size }
    file.position &+= call.result
    files[file.file].reach(file.position)
  }

  /// Positions of a directory descriptor and a path among a call's arguments.
  private typealias Place = (descriptor: Int, path: Int)

  private func followRename(_ process: Process<Database>, _ call: FileCall, from: Place?, to: Place?) {
    let new = name(process, call, to, else: 1)
    guard let id = files.unname(name(process, call, from, else: 0)) else { return forgetName(new) }
    if let replaced = files.name(id, new) { discardIfUnreachable(replaced) }
  }

  private func followLink(_ process: Process<Database>, _ call: FileCall, from: Place?, to: Place?) {
    guard let id = files.named(name(process, call, from, else: 0)) else { return }
    if let replaced = files.name(id, name(process, call, to, else: 1)) { discardIfUnreachable(replaced) }
  }

  private func name(
    _ process: Process<Database>, _ call: FileCall, _ place: Place?, else index: Int
  ) -> String {
    guard let place else { return path(process, call.strings[index] ?? "") }
    return path(process, call.strings[place.path] ?? "", from: call.descriptor(place.descriptor))
  }

  private func forgetName(_ name: String) {
    if let id = files.unname(name) { discardIfUnreachable(id) }
  }

  /// The absolute spelling of a path, as far as directories are known.
  private func path(_ process: Process<Database>, _ name: String, from descriptor: UInt32? = nil) -> String {
    guard !name.hasPrefix("/"), !name.isEmpty else { return name }
    let base = descriptor.flatMap { process.descriptors[$0]?.path } ?? process.directory
    return base.isEmpty ? name : base + "/" + name
  }
}

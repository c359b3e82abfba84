// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

extension Kernel {
  /// Follows a file call that succeeded.
  public func follow(_ process: Process<Database>, _ call: FileCall) {
    let file = process.descriptors[call.descriptor(0)]
    switch call.number {
    case .open: followOpen(process, call, path: 0, flags: call[1])
    case .creat: followOpen(process, call, path: 0, flags: 0x241)
    case .openat: followOpen(process, call, path: 1, flags: call[2])
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
      if let id = files.named(path(process, call.strings[0] ?? "")) { setSize(of: id, to: call[1]) }
    case .chdir: process.directory = path(process, call.strings[0] ?? "")
    case .unlink: forgetName(path(process, call.strings[0] ?? ""))
    case .unlinkat: forgetName(path(process, call.strings[1] ?? "", from: call.descriptor(0)))
    case .rename: followRename(process, call)
    }
  }

  /// A file that was opened: a known one by its name, or one that is new here and may be larger than what is seen of it.
  private func followOpen(_ process: Process<Database>, _ call: FileCall, path index: Int, flags: UInt64) {
    let (accessMode, exclusive, truncate, append, directory, temporary):
      (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) =
        (3, 0o200, 0o1000, 0o2000, 0o200000, 0o20000000)
    let name = path(process, call.strings[index] ?? "", from: index == 1 ? call.descriptor(0) : nil)
    let isFresh = flags & (exclusive | truncate) != 0 || flags & temporary == temporary
    let isSpecial = name.hasPrefix("/dev/") && !name.hasPrefix("/dev/shm/")
    let isDirectory = flags & directory != 0 && flags & temporary != temporary
    let id: FileID
    if let known = files.named(name), flags & temporary != temporary {
      id = known
    } else {
      let kind: FileObject.Kind =
        isDirectory ? .notMappable : name.hasPrefix("/dev/shm/") ? .sharedMemory : .regular
      id = files.make(kind, mayBeLarger: !isFresh || isSpecial)
      if !name.isEmpty, flags & temporary != temporary { _ = files.name(id, name) }
    }
    if flags & truncate != 0, !isSpecial { setSize(of: id, to: 0) }
    let mode = flags & accessMode
    let file = OpenFile(
      file: id, path: name, isReadable: mode != 1, isWritable: mode == 1 || mode == 2,
      appends: flags & append != 0)
    open(process, UInt32(truncatingIfNeeded: call.result), file)
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
    object.reach(file.position)
    let wasShort = call.number == .read && call.result < call[2] && call.result != 0
    if object.kind == .regular, wasShort, !file.path.hasPrefix("/proc/"), !file.path.hasPrefix("/sys/"),
      !file.path.hasPrefix("/dev/"), object.size == file.position
    {
      object.mayBeLarger = false
    }
  }

  private func followWrite(_ file: OpenFile, _ call: FileCall) {
    if file.appends { file.position = files[file.file].size }
    file.position &+= call.result
    files[file.file].reach(file.position)
  }

  private func followRename(_ process: Process<Database>, _ call: FileCall) {
    guard let id = files.unname(path(process, call.strings[0] ?? "")) else { return }
    if let replaced = files.name(id, path(process, call.strings[1] ?? "")) { discardIfUnreachable(replaced) }
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

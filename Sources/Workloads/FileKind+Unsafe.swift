// SPDX-License-Identifier: MIT
import Glibc

/// What stands behind a path.
enum FileKind: Equatable {
  case regular, folder, other, missing

  init(path: String) { self = FileKind.look(path).kind }

  /// The kind of file and its size in bytes.
  static func look(_ path: String) -> (kind: FileKind, size: UInt64) {
    var info = stat()
    guard unsafe stat(path, &info) == 0 else { return (.missing, 0) }
    switch info.st_mode & S_IFMT {
    case S_IFREG: return (.regular, UInt64(info.st_size))
    case S_IFDIR: return (.folder, 0)
    default: return (.other, 0)
    }
  }

  /// The names in a folder, sorted; nil when it cannot be read.
  static func names(in folder: String) -> [String]? {
    guard let handle = unsafe opendir(folder) else { return nil }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      names.append(name)
    }
    return names.sorted()
  }
}

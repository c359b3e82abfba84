// SPDX-License-Identifier: MIT

/// A call on files that succeeded in the real world. The kernel here does not decide about such calls; it follows them,
/// so that descriptors lead to the right files and files have the right sizes.
public struct FileCall: Sendable {
  /// Calls that change descriptors, names or sizes, with their x86-64 numbers.
  public enum Number: UInt32, Sendable, CaseIterable {
    /// Read at the position.
    case read = 0
    /// Write at the position.
    case write = 1
    /// Open by path.
    case open = 2
    /// Free a descriptor.
    case close = 3
    /// Move the position.
    case lseek = 8
    /// Read at an offset.
    case pread = 17
    /// Write at an offset.
    case pwrite = 18
    /// Read into several buffers.
    case readv = 19
    /// Write from several buffers.
    case writev = 20
    /// Another descriptor.
    case dup = 32
    /// Another descriptor with a given number.
    case dup2 = 33
    /// Copy from a file to another descriptor.
    case sendfile = 40
    /// Duplicates a descriptor, among other things.
    case fcntl = 72
    /// Set a size by path.
    case truncate = 76
    /// Change the directory.
    case chdir = 80
    /// Change the directory by descriptor.
    case fchdir = 81
    /// Change a name.
    case rename = 82
    /// Create by path.
    case creat = 85
    /// Another name.
    case link = 86
    /// Remove a name.
    case unlink = 87
    /// Open by path, relative to a directory.
    case openat = 257
    /// Remove a name, relative to a directory.
    case unlinkat = 263
    /// Change a name, relative to directories.
    case renameat = 264
    /// Another name, relative to directories.
    case linkat = 265
    /// Space from one descriptor to another.
    case splice = 275
    /// Another descriptor with a given number.
    case dup3 = 292
    /// Write from several buffers at an offset.
    case pwritev = 296
    /// Change or exchange names.
    case renameat2 = 316
    /// Copy between files.
    case copyFileRange = 326
    /// Write from several buffers at an offset, with flags.
    case pwritev2 = 328
    /// Free a range of descriptors.
    case closeRange = 436
    /// Open by path, with a structure of options.
    case openat2 = 437
  }
  /// Which call.
  public var number: Number
  /// Argument registers.
  public var arguments: [UInt64]
  /// Strings that pointer arguments lead to, by argument index.
  public var strings: [Int: String]
  /// The result register.
  public var result: UInt64

  /// A call that succeeded with `result`; missing arguments are zero.
  public init(_ number: Number, _ arguments: [UInt64], strings: [Int: String], result: UInt64) {
    self.number = number
    self.arguments = arguments + Array(repeating: 0, count: max(0, 6 - arguments.count))
    self.strings = strings
    self.result = result
  }

  subscript(index: Int) -> UInt64 { arguments[index] }

  func descriptor(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: arguments[index]) }
}

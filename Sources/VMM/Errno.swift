// SPDX-License-Identifier: MIT

/// Why a system call failed, with Linux's numbers (x86-64).
public enum Errno: UInt32, Error, Sendable, CaseIterable {
  /// Operation not permitted.
  case eperm = 1
  /// No such file.
  case enoent = 2
  /// No such process.
  case esrch = 3
  /// Interrupted by a signal.
  case eintr = 4
  /// Input or output failed.
  case eio = 5
  /// No such device or address.
  case enxio = 6
  /// Bad file descriptor.
  case ebadf = 9
  /// Try again: a resource limit.
  case eagain = 11
  /// Out of memory, or addresses not mapped.
  case enomem = 12
  /// Permission denied.
  case eacces = 13
  /// Bad address.
  case efault = 14
  /// Busy.
  case ebusy = 16
  /// Exists already.
  case eexist = 17
  /// No such device: the file cannot be mapped.
  case enodev = 19
  /// Invalid argument.
  case einval = 22
  /// Not a directory.
  case enotdir = 20
  /// A directory.
  case eisdir = 21
  /// Too many open files in the system.
  case enfile = 23
  /// Too many open files.
  case emfile = 24
  /// Text file busy.
  case etxtbsy = 26
  /// The file does not know the command.
  case enotty = 25
  /// File too large.
  case efbig = 27
  /// No space left.
  case enospc = 28
  /// Illegal seek.
  case espipe = 29
  /// The file system is read-only.
  case erofs = 30
  /// Value too large.
  case eoverflow = 75
  /// Not implemented.
  case enosys = 38
  /// Identifier removed.
  case eidrm = 43
  /// Operation not supported.
  case eopnotsupp = 95
  /// A quota is used up.
  case edquot = 122
  /// The page's contents are lost.
  case ehwpoison = 133
}

extension Errno {
  /// The name as in `errno.h`, for messages.
  public var name: String { String(describing: self).uppercased() }
}

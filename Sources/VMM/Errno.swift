// SPDX-License-Identifier: MIT

/// Why a system call failed, with Linux's numbers (x86-64).
public enum Errno: UInt32, Error, Sendable, CaseIterable {
  /// Operation not permitted.
  case eperm = 1
  /// No such file.
  case enoent = 2
  /// No such process.
  case esrch = 3
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
  /// Too many open files.
  case emfile = 24
  /// Text file busy.
  case etxtbsy = 26
  /// File too large.
  case efbig = 27
  /// No space left.
  case enospc = 28
  /// Illegal seek.
  case espipe = 29
  /// Value too large.
  case eoverflow = 75
  /// Not implemented.
  case enosys = 38
  /// Identifier removed.
  case eidrm = 43
  /// Operation not supported.
  case eopnotsupp = 95
}

extension Errno {
  /// The name as in `errno.h`, for messages.
  public var name: String { String(describing: self).uppercased() }
}

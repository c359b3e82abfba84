// SPDX-License-Identifier: MIT
internal import Glibc

/// A private, zeroed, uncommitted range of host memory: only pages that are touched cost anything.
///
/// SAFETY: `base` points at `bytes` mapped bytes from `init` to `release`; the one owner releases once.
@unsafe struct HostMapping {
  let base: UnsafeMutableRawPointer
  let bytes: Int

  init(bytes: UInt64) throws(ArenaError) {
    guard let length = Int(exactly: bytes), length > 0 else { throw .badSize(bytes: bytes) }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    guard let base = unsafe mmap(nil, length, PROT_READ | PROT_WRITE, flags, -1, 0),
      unsafe base != MAP_FAILED
    else { throw .hostRefused(bytes: bytes, errno: errno) }
    // A sparse arena must not turn one touched entry into 2 MiB of host memory.
    unsafe _ = madvise(base, length, MADV_NOHUGEPAGE)
    unsafe self.base = unsafe base
    unsafe self.bytes = length
  }

  func release() { unsafe _ = munmap(base, bytes) }
}

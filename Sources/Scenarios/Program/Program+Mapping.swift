// SPDX-License-Identifier: MIT
public import VMM

// Calls that change mappings. All throw the errno that they are refused with.
extension Program {
  /// `mmap`. Without a file the memory is anonymous; `at` fixes the address (MAP_FIXED), `near` is a hint.
  ///
  /// `try p.map(3)`, `try p.map(2, .shared, file: f, protection: .read, offset: page)`
  /// - Parameter bytes: the length, where it is not whole pages.
  /// - Returns: the address.
  public func map(
    _ pages: UInt64 = 1, _ sharing: Sharing = .private, file: Descriptor? = nil, bytes: UInt64? = nil,
    at fixed: UInt64? = nil, near hint: UInt64 = 0, protection: Rights = [.read, .write],
    flags: MapFlags = [], offset: UInt64 = 0
  ) throws(Errno) -> UInt64 {
    var all = flags
    if file == nil { all.insert(.anonymous) }
    if fixed != nil, !flags.contains(.fixedNoReplace) { all.insert(.fixed) }
    return try call(
      .mmap,
      [
        "address": fixed ?? hint, "bytes": bytes ?? pages * page, "protection": protection,
        "flags": MapFlags(rawValue: all.rawValue | sharing.rawValue), "file": file ?? Descriptor.invalid,
        "offset": offset,
      ])
  }

  /// `munmap`.
  public func unmap(_ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil) throws(Errno) {
    try call(.munmap, ["address": address, "bytes": bytes ?? pages * page])
  }

  /// `mprotect`.
  public func protect(
    _ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil, _ protection: Rights
  ) throws(Errno) {
    try call(.mprotect, ["address": address, "bytes": bytes ?? pages * page, "protection": protection])
  }

  /// `mremap`, with MREMAP_MAYMOVE unless the mapping has to stay; `to` fixes the new address.
  @discardableResult
  public func remap(
    _ address: UInt64, pages: UInt64, newPages: UInt64, mayMove: Bool = true, to target: UInt64? = nil,
    keepsOld: Bool = false
  ) throws(Errno) -> UInt64 {
    let flags: UInt64 = (mayMove ? 1 : 0) | (target == nil ? 0 : 2) | (keepsOld ? 4 : 0)
    return try call(
      .mremap,
      [
        "address": address, "bytes": pages * page, "newBytes": newPages * page, "flags": flags,
        "target": target ?? 0,
      ])
  }

  /// `madvise`.
  public func advise(
    _ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil, _ advice: Advice
  ) throws(Errno) {
    try call(.madvise, ["address": address, "bytes": bytes ?? pages * page, "advice": advice])
  }

  /// `mlock`, or `mlock2` with MLOCK_ONFAULT.
  public func lock(
    _ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil, onFault: Bool = false
  ) throws(Errno) {
    let length = bytes ?? pages * page
    if onFault {
      try call(.mlock2, ["address": address, "bytes": length, "flags": 1])
    } else {
      try call(.mlock, ["address": address, "bytes": length])
    }
  }

  /// `munlock`.
  public func unlock(_ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil) throws(Errno) {
    try call(.munlock, ["address": address, "bytes": bytes ?? pages * page])
  }

  /// `mlockall`: MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4.
  public func lockAll(_ flags: UInt64) throws(Errno) { try call(.mlockall, ["flags": flags]) }

  /// `munlockall`.
  public func unlockAll() throws(Errno) { try call(.munlockall) }

  /// `mincore`: which pages are in memory.
  ///
  /// The simulated kernel checks and touches the vector of answers as Linux does, but leaves the bytes away; the answers
  /// are asked for directly.
  public func mincore(
    _ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil, vector: UInt64? = nil
  ) throws(Errno) -> [Bool] {
    try call(
      .mincore,
      ["address": address, "bytes": bytes ?? pages * page, "vector": vector ?? scratch(8 * page)])
    return (0..<pages).map { isResident(address + $0 * page) }
  }

  /// `msync`: MS_ASYNC 1, MS_INVALIDATE 2, MS_SYNC 4.
  public func sync(_ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil, flags: UInt64 = 4)
    throws(Errno)
  {
    try call(.msync, ["address": address, "bytes": bytes ?? pages * page, "flags": flags])
  }

  /// `brk`, which never fails: it returns where the break is.
  @discardableResult
  public func setBreak(_ address: UInt64) throws(Errno) -> UInt64 {
    try call(.brk, ["address": address])
  }

  /// `mseal`.
  public func seal(_ address: UInt64, pages: UInt64 = 1, bytes: UInt64? = nil, flags: UInt64 = 0)
    throws(Errno)
  {
    try call(.mseal, ["address": address, "bytes": bytes ?? pages * page, "flags": flags])
  }

  /// `remap_file_pages`.
  public func remapFilePages(_ address: UInt64, pages: UInt64, protection: Rights = [], to filePage: UInt64)
    throws(Errno)
  {
    try call(
      .remapFilePages,
      [
        "address": address, "bytes": pages * page, "protection": protection, "page": filePage, "flags": 0,
      ])
  }
}

extension MapFlags {
  /// MAP_SYNC.
  public static var sync: Self { Self(rawValue: 0x80000) }
  /// MAP_HUGE_2MB.
  public static var size2M: Self { Self(rawValue: 21 << 26) }
  /// MAP_HUGE_1GB.
  public static var size1G: Self { Self(rawValue: 30 << 26) }
}

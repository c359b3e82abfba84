// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension VMAFlags {
  /// Faults on missing pages wait for a userfaultfd.
  @inlinable public static var userfaultMissing: Self { Self(rawValue: 1 << 25) }
  /// Stores to pages that it write-protects do.
  @inlinable public static var userfaultProtect: Self { Self(rawValue: 1 << 26) }
  /// Faults on pages that the file has do.
  @inlinable public static var userfaultMinor: Self { Self(rawValue: 1 << 27) }
  /// Any of them.
  @inlinable public static var userfaults: Self { [.userfaultMissing, .userfaultProtect, .userfaultMinor] }
}

extension VMA {
  /// The area as it is for those who are not watched.
  @usableFromInline mutating func disarm() {
    flags.subtract(.userfaults)
    userfault = 0
  }
}

extension Kernel {
  /// UFFDIO_REGISTER: `(start, length, mode, commands out)`: MISSING 1, WP 2, MINOR 4.
  /// - Returns: the commands that work there.
  @inlinable
  func register(_ space: Space<Database>, _ id: FileID, _ words: [UInt64]) throws(Errno) -> UInt64 {
    let (range, supported) = try checkRegistration(space, id, words)
    try cutAtEdges(space, range)
    for area in overlapping(space, range) { try splitHugePages(space, area.range.intersection(range)) }
    arm(space, id, range, mode: words[2])
    return supported
  }

  @usableFromInline
  func checkRegistration(_ space: Space<Database>, _ id: FileID, _ words: [UInt64]) throws(Errno) -> (
    VirtualRange, UInt64
  ) {
    let mode = words[2]
    guard mode != 0, mode & ~7 == 0 else { throw .einval }
    let range = try userfaultRange(words[0], words[1])
    let areas = space.layout.areas.overlapping(range)
    guard !areas.isEmpty else { throw .einval }
    for area in areas {
      let isSharedMemory = !area.isAnonymous && !area.isPrivate && files[area.file].kind == .sharedMemory
      guard area.isAnonymous && mode & 4 == 0 || isSharedMemory else { throw .einval }
      guard !area.flags.contains(.hugeTLB) else { throw .einval }
      guard area.flags.contains(.mayWrite) else { throw .eperm }
      if area.userfault != 0, area.userfault != id.raw { throw .ebusy }
    }
    var commands: [UserfaultCommand] = [.wake, .copy, .zeroPage, .poison]
    if areas.allSatisfy(\.isAnonymous) { commands.append(.move) }
    if mode & 2 != 0 { commands.append(.writeProtect) }
    if mode & 4 != 0 { commands.append(.proceed) }
    return (range, commands.reduce(0) { $0 | $1.bit })
  }

  @usableFromInline
  func arm(_ space: Space<Database>, _ id: FileID, _ range: VirtualRange, mode: UInt64) {
    var flags: VMAFlags = []
    if mode & 1 != 0 { flags.insert(.userfaultMissing) }
    if mode & 2 != 0 { flags.insert(.userfaultProtect) }
    if mode & 4 != 0 { flags.insert(.userfaultMinor) }
    let changed = space.layout.areas.update(range) {
      $0.disarm()
      $0.flags.formUnion(flags)
      $0.userfault = id.raw
    }
    countChange(space, changed)
  }

  /// UFFDIO_UNREGISTER: `(start, length)`.
  @usableFromInline
  func unregister(
    _ space: Space<Database>, _ id: FileID, _ userfault: Userfault, _ words: [UInt64]
  ) throws(Errno) {
    let range = try userfaultRange(words[0], words[1])
    guard !overlapping(space, range).isEmpty else { throw .einval }
    disarm(space, id, range)
    userfault.wake(range)
  }

  /// Areas of a userfaultfd become ordinary ones, and their pages can be written again.
  @usableFromInline func disarm(_ space: Space<Database>, _ id: FileID, _ range: VirtualRange) {
    for area in overlapping(space, range) where area.userfault == id.raw {
      let part = area.range.intersection(range)
      if area.flags.contains(.userfaultProtect) { setProtectionMarks(space, part, false) }
      countChange(space, space.layout.areas.update(part) { $0.disarm() })
    }
  }
}

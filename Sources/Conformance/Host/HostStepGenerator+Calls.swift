// SPDX-License-Identifier: MIT
internal import Reference
internal import VMM

// Calls with random arguments.
extension HostStepGenerator {
  mutating func map() -> HostStep.Action {
    var types: [UInt64] = [2, 2, 2, 2, 1, 1, 1, 3]
    if random.oneIn(20) { types = features.contains(.droppable) ? [0, 4, 8, 8, 5] : [0, 4, 5] }
    var flags = random.pick(types)
    let isAnonymous = random.below(2) == 0
    if isAnonymous { flags |= 0x20 }
    var start = address()
    switch random.below(16) {
    case 0, 1: flags |= 0x10_0000
    case 2: break
    case 3: start = random.pick([0, start + 5])
    default: flags |= 0x10
    }
    // MAP_FIXED below the window would hit the program that carries this out.
    if flags & 0x10_0010 != 0, start < HostWindow.start { start = page() }
    for (flag, odds) in [
      (0x4000, 12), (0x8000, 10), (0x2000, 20), (0x100, 40), (0x1_0000, 40), (0x2_0000, 30), (0x800, 40),
      (0x8_0000, 60),
    ] as [(UInt64, UInt64)] where random.oneIn(odds) { flags |= flag }
    let file = isAnonymous ? .max : file()
    let length = random.oneIn(60) ? 1 << 63 : length()
    return .call(.mmap, [start, length, protection(), flags, file, isAnonymous ? 0 : offset()])
  }

  mutating func protect() -> HostStep.Action {
    var rights = protection()
    if random.oneIn(30) { rights |= random.pick([0x100_0000, 0x200_0000, 0x300_0000, 8, 64]) }
    if random.oneIn(12), features.contains(.keys) { return .call(.pkeyMprotect, range() + [rights, .max]) }
    return .call(.mprotect, range() + [rights])
  }

  mutating func remap() -> HostStep.Action {
    // A length that wraps would unmap whoever carries this out, or the target only.
    let old = length() & 0xFF_FFFF
    var new = random.below(2) == 0 ? old : length()
    if random.oneIn(16) { new = random.pick([0, old &+ 4096]) }
    var flags = random.pick([3, 3, 3, 3, 1, 0, 7, 5] as [UInt64])
    if random.oneIn(30) { flags = random.pick([2, 4, 6, 8, 9]) }
    let start = random.oneIn(30) ? address() : page()
    let target = address()
    // A duplicate (old length 0) onto its own original: Linux takes the original away, then fails; not followed here.
    let isDuplicate = random.oneIn(16) && (target > start || start &- target >= new)
    return .call(.mremap, [start, isDuplicate && target != start ? 0 : old, new, flags, target])
  }

  mutating func advise() -> HostStep.Action {
    var kinds: [Advice] = [
      .dontNeed, .dontNeed, .dontNeed, .free, .free, .remove, .dontFork, .doFork, .wipeOnFork, .keepOnFork,
      .dontDump, .doDump, .normal, .random, .sequential, .willNeed,
    ]
    if features.contains(.populate) { kinds += [.populateRead, .populateWrite] }
    if features.contains(.dontNeedLocked) { kinds.append(.dontNeedLocked) }
    if features.contains(.cold) { kinds.append(.cold) }
    if features.contains(.guards) { kinds += [.guardInstall, .guardInstall, .guardRemove] }
    if features.contains(.merging) { kinds += [.mergeable, .unmergeable] }
    if features.contains(.hugePages) { kinds += [.hugePage, .noHugePage] }
    let number = random.oneIn(40) ? random.pick([5, 7, 99, 1000]) : random.pick(kinds).rawValue
    return .call(.madvise, range() + [number])
  }

  mutating func fileAction() -> HostStep.Action {
    let size = random.oneIn(3) ? random.below(40_000) : random.below(10) << 12
    switch random.below(16) {
    case 0..<3: return .call(.ftruncate, [file(), random.oneIn(12) ? .max : size])
    case 3..<6:
      let mode = random.pick([0, 1, 3, 3, 3, 16, 2, 8, 32, 1 << 20] as [UInt64])
      return .call(.fallocate, [file(), mode, size, random.oneIn(12) ? 0 : 1 + random.below(20_000)])
    case 6..<8: return .readFile(3 + random.below(2), offset: size, count: 1 + random.below(9000))
    case 8..<10:
      return .writeFile(
        3 + random.below(2), offset: size, count: 1 + random.below(300), value: UInt8(random.below(256)))
    case 10: return .fileSize(3 + random.below(2))
    case 11:
      return .call(
        .fcntl, random.oneIn(2) ? [file(), 1034, 0] : [file(), 1033, random.pick([1, 2, 4, 8, 16, 64])])
    case 12, 13:
      return .moveBytes(file(), address: byte(), count: 1 + random.below(9000), offset: size, isRead: true)
    default:
      // At 0 only: Linux 6.18 extends a file up to where a write of memory that is not there would have begun.
      return .moveBytes(file(), address: byte(), count: 1 + random.below(9000), offset: 0, isRead: false)
    }
  }

  mutating func otherCall() -> HostStep.Action {
    switch random.below(24) {
    case 0..<6: return .call(.mincore, [address(), (1 + random.below(8)) << 12, 0])
    case 6..<9: return .call(.msync, range() + [random.pick([0, 1, 2, 4, 4, 5, 6, 3, 8])])
    case 9..<12: return .call(.mlock, range())
    case 12..<14:
      guard features.contains(.lockOnFault) else { return .look }
      return .call(.mlock2, range() + [random.pick([0, 1, 1, 2])])
    case 14..<18: return .call(.munlock, range())
    case 18: return .call(.mlockall, [random.pick([2, 6, 0, 8])])
    case 19: return .call(.munlockall, [])
    case 20:
      guard features.contains(.seals), random.oneIn(3) else { return .look }
      return .call(.mseal, range() + [random.pick([0, 0, 0, 1])])
    case 21: return .call(.remapFilePages, range() + [random.pick([0, 0, 1]), random.below(8), 0])
    default: return .call(.mincore, [address(), length() & 0xFFFFF, 0])
    }
  }
}

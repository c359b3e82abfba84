// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension Kernel {
  /// `madvise(address, length, advice)`. As on Linux, holes are skipped and reported at the end.
  @inlinable func madvise(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64
  {
    let space = process.space
    guard let advice = Advice(rawValue: request[2] & 0xFFFF_FFFF) else { throw .einval }
    let range = try checkAdvice(request)
    if advice == .hardwarePoison || advice == .softOffline {
      // As root on a kernel with memory-failure support it works; what it does to a page shows in no trace.
      try excuse(request, [.einval, .eperm, .ebusy, .eio, .eopnotsupp])
      if !request.circumstances.isAccepted { throw .eperm }
      return 0
    }
    guard !range.isEmpty else { return 0 }
    if advice.isOptional { try excuse(request, [.einval, .eagain, .ebusy]) }
    if advice == .willNeed { try excuse(request, [.ebadf, .eio]) }
    let hasHole = !covers(space, range)
    if advice == .populateRead || advice == .populateWrite {
      try commit(request)
      return try prefault(process, range, advice == .populateWrite ? .store : .load)
    }
    if advice.partsAreas { try cutAtEdges(space, range) }
    var isCommitted = false
    for area in overlapping(space, range) {
      meter.count(.vmaStep)
      try checkAdvice(advice, for: area)
      if !isCommitted, !hasHole { try commit(request) }
      isCommitted = true
      if area.flags.contains(.hugeTLB) {
        try advisePooled(advice, space, area, area.range.intersection(range))
        continue
      }
      if area.flags.contains(.device) {
        try adviseDevice(advice, space, area, area.range.intersection(range))
        continue
      }
      if counters.value.watchesLayout { announceRemoval(advice, area, area.range.intersection(range)) }
      try apply(advice, space, area, area.range.intersection(range))
    }
    if hasHole { throw .enomem }
    return 0
  }

  @usableFromInline func overlapping(_ space: Space<Database>, _ range: VirtualRange) -> [VMA] {
    meter.count(.vmaGathered)
    return Array(space.layout.areas.overlapping(range))
  }

  @usableFromInline func covers(_ space: Space<Database>, _ range: VirtualRange) -> Bool {
    space.layout.areas.covers(range)
  }

  @usableFromInline func checkAdvice(_ request: SystemCallRequest) throws(Errno) -> VirtualRange {
    let start = request.address(0)
    guard start.isAligned(to: .base) else { throw .einval }
    guard let length = pageAligned(request[1]) else { throw .einval }
    if request[1] != 0, length == 0 { throw .einval }
    guard start.raw &+ length >= start.raw else { throw .einval }
    return VirtualRange(start, bytes: length)
  }

  /// What Linux refuses for an area (`madvise_vma_behavior`).
  @usableFromInline func checkAdvice(_ advice: Advice, for area: VMA) throws(Errno) {
    let isLocked = area.flags.contains(.locked)
    switch advice {
    case .dontNeed, .cold, .pageOut: if isLocked { throw .einval }
    case .free: if !area.isAnonymous || isLocked { throw .einval }
    case .remove:
      if isLocked || area.file == .none { throw .einval }
      if !area.flags.isSuperset(of: [.shared, .mayWrite]) { throw .eacces }
      if !files[area.file].seals.isDisjoint(with: [.write, .futureWrite]) { throw .eperm }
    case .wipeOnFork: if !area.isAnonymous || area.flags.contains(.shared) { throw .einval }
    case .keepOnFork, .doDump: if area.flags.contains(.droppable) { throw .einval }
    case .guardInstall: if isLocked { throw .einval }
    default: break
    }
    if area.flags.contains(.sealed), area.isAnonymous, !area.rights.contains(.write),
      [.dontNeed, .free, .remove, .wipeOnFork, .dontFork, .dontNeedLocked, .guardInstall].contains(advice)
    {
      throw .eperm
    }
  }

  /// Follows a piece of advice. What nothing here depends on (order of reading) is noted, not done.
  @inlinable
  func apply(
    _ advice: Advice, _ space: Space<Database>, _ area: VMA, _ part: VirtualRange
  ) throws(Errno) {
    switch advice {
    case .dontNeed, .dontNeedLocked:
      if Mutation.dontNeedKeepsContents.isPlanted { return }
      discardPages(space, area, part)
      if area.flags.contains(.locked) { return }
    case .remove: punchHole(area, part)
    case .guardInstall: try installGuards(space, part)
    case .guardRemove: removeGuards(space, part)
    case .collapse: try collapseNow(space, area, part)
    case .free: freeLazily(space, part)
    case .cold: cool(space, part)
    case .pageOut: pageOut(space, part)
    case .willNeed: readAhead(space, area, part)
    case .mergeable: allowMerging(space, area, part)
    case .unmergeable: try forbidMerging(space, area, part)
    default: note(advice, space, part)
    }
  }

  /// Advice that is a property of the area.
  @usableFromInline func note(_ advice: Advice, _ space: Space<Database>, _ part: VirtualRange) {
    let (add, drop): (VMAFlags, VMAFlags)
    switch advice {
    case .normal: (add, drop) = ([], [.random, .sequential])
    case .random: (add, drop) = (.random, .sequential)
    case .sequential: (add, drop) = (.sequential, .random)
    case .dontFork: (add, drop) = (.dontFork, [])
    case .doFork: (add, drop) = ([], .dontFork)
    case .wipeOnFork: (add, drop) = (.wipeOnFork, [])
    case .keepOnFork: (add, drop) = ([], .wipeOnFork)
    case .mergeable: (add, drop) = (.mergeable, [])
    case .unmergeable: (add, drop) = ([], .mergeable)
    case .hugePage: (add, drop) = (.hugePages, .noHugePages)
    case .noHugePage: (add, drop) = (.noHugePages, .hugePages)
    case .dontDump: (add, drop) = (.dontDump, [])
    case .doDump: (add, drop) = ([], .dontDump)
    default: return
    }
    let changed = space.layout.areas.update(part) {
      $0.flags.subtract(drop)
      $0.flags.formUnion(add)
    }
    countChange(space, changed)
  }

  /// MADV_POPULATE_READ and MADV_POPULATE_WRITE.
  @inlinable
  func prefault(
    _ process: Process<Database>, _ range: VirtualRange, _ kind: AccessKind
  ) throws(Errno) -> UInt64 {
    let space = process.space
    var address = range.start
    while address < range.end {
      // Unlike a load, reading on behalf of the program needs PROT_READ itself.
      // Nor do stacks grow for it.
      guard let area = space.layout.areas.area(at: address) else { throw .enomem }
      if kind == .load, !area.rights.contains(.read) { throw .einval }
      if keyRefusal(process, address, kind) != nil { throw .efault }
      switch resolve(space, address, kind) {
      case .resolved: break
      case .refused(.notMapped), .refused(.notCanonical):
        throw covers(space, VirtualRange(page: address, .base)) ? .efault : .enomem
      case .refused(.notAllowed): throw .einval
      case .refused(.poisoned): throw .ehwpoison
      case .waits, .refused(.keyForbids), .refused(.beyondEndOfFile), .refused(.noHugePage): throw .efault
      case .outOfMemory: throw .enomem
      }
      address = nextAddress(space, after: address)
    }
    return 0
  }

  /// MADV_REMOVE: the file's pages go, and mappings of them.
  @usableFromInline func punchHole(_ area: VMA, _ part: VirtualRange) {
    let first = area.filePage(at: part.start)
    unmapEverywhere(area.file, first..<(first + part.pages), includingCopies: false)
    forgetPages(of: area.file, first..<(first + part.pages))
  }
}

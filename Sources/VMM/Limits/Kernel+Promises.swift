// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

// Memory that programs may count on: private pages that can be written, and shared memory.
extension Kernel {
  /// Pages promised to all processes (Linux: Committed_AS).
  public var committedPages: UInt64 { counters.value.committedPages }

  /// The most pages that mode `never` promises (Linux: CommitLimit).
  public var commitLimit: UInt64 {
    (overcommit.pages ?? totalPages * overcommit.ratio / 100) + swapCell.value.slots
  }

  /// All memory that this kernel has.
  private var totalPages: UInt64 { platform.memory.frameCount }

  /// Checks that `pages` more may be promised (Linux: `__vm_enough_memory`); they count once an area has them.
  @usableFromInline func promise(_ pages: UInt64, _ process: Process<Database>) throws(Errno) {
    try promise(pages, process.space.layout, process.privileges)
  }

  func promise(_ pages: UInt64, _ layout: SpaceLayout, _ privileges: Privileges) throws(Errno) {
    switch overcommit.mode {
    case .always: return
    case .guess: if pages > totalPages + swapCell.value.slots { throw .enomem }
    case .never:
      var allowed = commitLimit
      if !privileges.contains(.administer) { allowed -= min(allowed, overcommit.keptForAdministrators) }
      allowed -= min(allowed, layout.mappedBytes >> 12 / 32, overcommit.keptFromProcess)
      if pages > allowed || committedPages > allowed - pages { throw .enomem }
    }
  }

  /// Decides whether the pages of a new mapping count, and checks that there may be so many.
  func account(
    _ area: inout VMA, isSharedMemory: Bool, isFixed: Bool, _ process: Process<Database>
  ) throws(Errno) {
    guard area.flags.isDisjoint(with: [.noReserve, .hugeTLB]) else { return }
    let isAccounted = area.isPrivate && area.rights.contains(.write)
    guard isAccounted || isSharedMemory else { return }
    if isAccounted { area.flags.insert(.accounted) }
    let replaced = isFixed ? accountedPages(process.space.layout, in: area.range) : 0
    if area.range.pages > replaced { try promise(area.range.pages - replaced, process) }
  }

  private func accountedPages(_ layout: SpaceLayout, in range: VirtualRange) -> UInt64 {
    layout.areas.overlapping(range).reduce(0) {
      $0 + ($1.flags.contains(.accounted) ? $1.range.intersection(range).pages : 0)
    }
  }

  /// The file of a shared anonymous mapping.
  func makeSharedMemory(_ area: VMA) -> FileID {
    let file = files.make(.sharedMemory, size: area.range.bytes)
    if !area.flags.contains(.noReserve) { chargeSharedMemory(file, area.range.pages) }
    return file
  }

  /// Shared memory is promised as a whole when it is made.
  func chargeSharedMemory(_ file: FileID, _ pages: UInt64) {
    files[file].accountedPages = pages
    counters.value.committedPages &+= pages
  }

  /// Checks that a child may have all that was promised to its parent.
  @usableFromInline func promiseCopy(of layout: SpaceLayout) throws(Errno) {
    guard overcommit.mode != .always else { return }
    var pages: UInt64 = 0
    for area in layout.areas.areas where area.flags.contains(.accounted) && !area.flags.contains(.dontFork) {
      pages = area.range.pages + (overcommit.mode == .never ? pages : 0)
      try promise(pages, layout, .standard)
    }
  }

  /// Checks that a part of an area may get other rights: it may become data by that, and has to be promised then.
  /// - Parameter promised: pages that the same call makes data before.
  func checkGain(
    of area: VMA, _ part: VirtualRange, to rights: Rights, _ process: Process<Database>,
    promised: inout UInt64
  ) throws(Errno) {
    guard rights.contains(.write), !area.rights.contains(.write) else { return }
    let (layout, isStack) = (process.space.layout, area.flags.contains(.growsDown))
    if area.isPrivate, !isStack, layout.limits.data != .max,
      layout.dataBytes + part.bytes > layout.limits.data
    {
      throw .enomem
    }
    guard area.flags.isDisjoint(with: [.accounted, .shared, .noReserve, .inferred, .hugeTLB]) else { return }
    promised += part.pages
    try promise(promised, process)
  }

  /// Counts an area, whose rights were changed, if it can hold pages of its own from now on, and not any more if it
  /// never had one and cannot get one.
  func noteRights(_ area: inout VMA) {
    if area.rights.contains(.write) {
      guard area.flags.isDisjoint(with: [.accounted, .shared, .noReserve, .inferred, .hugeTLB]) else {
        return
      }
      area.flags.insert(.accounted)
      counters.value.committedPages &+= area.range.pages
    } else if area.flags.contains(.accounted), area.isAnonymous, area.group == 0 {
      area.flags.remove(.accounted)
      counters.value.committedPages &-= area.range.pages
    }
  }

  /// Whether a stack may grow as far as limits go; its size and the gap below it are checked before.
  func mayGrow(_ space: Space<Database>, _ stack: VMA, by bytes: UInt64) -> Bool {
    do {
      try space.layout.checkRoom(for: bytes, isData: false)
      if stack.flags.contains(.locked) { try space.layout.checkLockable(bytes, [], else: .enomem) }
      if stack.flags.contains(.accounted) { try promise(bytes >> 12, space.layout, .standard) }
    } catch { return false }
    return true
  }
}

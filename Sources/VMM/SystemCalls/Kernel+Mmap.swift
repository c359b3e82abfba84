// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Mutations
public import SimMemory

/// Linux's MAP_* flags.
public struct MapFlags: OptionSet, Sendable, Hashable {
  /// MAP_* bits.
  public let rawValue: UInt64
  /// Wraps MAP_* bits.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// MAP_SHARED.
  public static var shared: Self { Self(rawValue: 0x1) }
  /// MAP_DROPPABLE, a type like MAP_PRIVATE.
  public static var droppable: Self { Self(rawValue: 0x8) }
  /// MAP_PRIVATE.
  public static var `private`: Self { Self(rawValue: 0x2) }
  /// The bits that hold the mapping's type.
  public static var typeMask: UInt64 { 0xF }
  /// MAP_FIXED.
  public static var fixed: Self { Self(rawValue: 0x10) }
  /// MAP_ANONYMOUS.
  public static var anonymous: Self { Self(rawValue: 0x20) }
  /// MAP_GROWSDOWN.
  public static var growsDown: Self { Self(rawValue: 0x100) }
  /// MAP_LOCKED.
  public static var locked: Self { Self(rawValue: 0x2000) }
  /// MAP_NORESERVE.
  public static var noReserve: Self { Self(rawValue: 0x4000) }
  /// MAP_POPULATE.
  public static var populate: Self { Self(rawValue: 0x8000) }
  /// MAP_NONBLOCK.
  public static var nonBlock: Self { Self(rawValue: 0x10000) }
  /// MAP_STACK.
  public static var stack: Self { Self(rawValue: 0x20000) }
  /// MAP_HUGETLB.
  public static var hugeTLB: Self { Self(rawValue: 0x40000) }
  /// MAP_FIXED_NOREPLACE.
  public static var fixedNoReplace: Self { Self(rawValue: 0x100000) }
  /// Flags that MAP_SHARED_VALIDATE knows for files without DAX; others are refused with EOPNOTSUPP.
  public static var validated: UInt64 { 0x7C07_F9F3 }
}

extension Kernel {
  /// `mmap(address, length, protection, flags, descriptor, offset)`.
  @inlinable func mmap(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let plan = try planMapping(process, request)
    let space = process.space
    if plan.area.flags.contains(.hugeTLB) { return try mapPooled(space, plan) }
    if plan.replaces {
      do { try cutAtEdges(space, plan.area.range) } catch {
        if plan.area.file != .none { discardIfUnreachable(plan.area.file) }
        throw error
      }
      unmapForCall(space, plan.area.range)
    }
    install(plan.area, in: space)
    if plan.populates { populate(space, plan.area.range) }
    return plan.area.range.start.raw
  }

  /// Puts a mapping in place.
  @usableFromInline func install(_ area: VMA, in space: Space<Database>) {
    hold(area, in: space)
    var area = area
    if space.layout.tracksSoftDirty { area.flags.insert(.softDirty) }
    // Memory of devices stays where it is, so locks are not noted.
    if area.flags.contains(.device) { area.flags.subtract([.locked, .lockedOnFault]) }
    if space.layout.mergesEverything, canHoldMergedPages(area) { area.flags.insert(.mergeable) }
    meter.count(.vmaChange, UInt64(space.layout.areas.insert(area)))
    meter.count(.vmaMoved, space.layout.areas.areasBehindLast)
  }

  /// A mapping that `mmap` has decided to make.
  @usableFromInline struct MappingPlan {
    @usableFromInline var area: VMA
    @usableFromInline var replaces: Bool
    @usableFromInline var populates: Bool
  }

  /// Checks `mmap`'s arguments in Linux's order and decides where the mapping goes.
  @usableFromInline
  func planMapping(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> MappingPlan {
    let flags = MapFlags(rawValue: request[3])
    let type = request[3] & MapFlags.typeMask
    let rights = Rights(rawValue: UInt8(truncatingIfNeeded: request[2] & 7))
    let isAnonymous = flags.contains(.anonymous)
    guard request[5] & PageSize.base.mask == 0 else { throw .einval }
    let file = isAnonymous ? nil : try openFile(process, request, argument: 4)
    guard request[1] != 0 else { throw .einval }
    let pool = try poolForMapping(request, flags, file)
    let length = try mappingLength(request[1], pool: pool)
    guard process.space.layout.areas.areas.count < maximumAreas else { throw .enomem }
    let alignment = pool.map { poolCell.value[$0].size } ?? .base
    let wanted = file.flatMap { devicePage($0, length, offset: request[5]) }
    let start = try placeMapping(process.space, request, flags, length, alignment, wanted: wanted)
    var area = VMA(
      VirtualRange(start, bytes: length), rights: rights, flags: process.space.layout.futureFlags)
    if flags.contains(.droppable), isAnonymous, type == MapFlags.droppable.rawValue {
      guard flags.isDisjoint(with: [.locked, .hugeTLB, .growsDown]) else { throw .einval }
      area.flags.formUnion([.mayWrite, .mayExecute, .noReserve, .wipeOnFork, .dontDump, .droppable])
      area.flags.subtract([.locked, .lockedOnFault])
      area.offset = start.raw
    } else if let file, type == 2, file.path == "/dev/zero", file.isReadable {
      area.flags.formUnion([.mayWrite, .mayExecute])
      area.offset = start.raw
    } else if let file {
      try describeFileMapping(&area, file, type: type, flags, offset: request[5])
    } else {
      guard type == 1 || type == 2 || type == 3 && pool != nil else { throw .einval }
      area.flags.formUnion([.mayWrite, .mayExecute])
      if type != 2 { area.flags.insert(.shared) }
      area.offset = type == 2 && pool == nil ? start.raw : 0
    }
    if flags.contains(.growsDown) {
      guard isAnonymous, type == 2 else { throw .einval }
      area.flags.insert(.growsDown)
    }
    if let pool { try describeHugeMapping(&area, pool: pool, flags) }
    // Stacks of threads are too often larger than what is used of them.
    if flags.contains(.stack) { area.flags.insert(.noHugePages) }
    if flags.contains(.noReserve), overcommit.mode != .never { area.flags.insert(.noReserve) }
    if flags.contains(.locked) {
      try process.space.layout.checkMayLock(process.privileges)
      area.flags.insert(.locked)
    }
    if area.flags.contains(.locked) {
      try process.space.layout.checkLockable(length, process.privileges, else: .eagain)
    }
    try process.space.layout.checkRoom(
      for: length, isData: area.isData, replacing: flags.contains(.fixed) ? area.range : nil)
    if flags.contains(.fixed) {
      try checkUnsealed(process.space, area.range)
      try checkHugeEdges(process.space, area.range)
    }
    try excuse(request, [.eperm, .enodev, .eacces])
    if rights == .execute { area.key = executeOnlyKey(process) }
    let isSharedMemory = isAnonymous && type == 1 && pool == nil
    try account(&area, isSharedMemory: isSharedMemory, isFixed: flags.contains(.fixed), process)
    try commit(request)
    if isSharedMemory { area.file = makeSharedMemory(area) }
    if let pool, file == nil { area.file = makeHugeFile(pool: pool, size: length) }
    let isFixed = flags.contains(.fixed) || flags.contains(.fixedNoReplace)
    // Droppable memory is never locked, but filled like memory that is (mlockall with MCL_FUTURE).
    let populates =
      area.flags.contains(.locked) && !area.flags.contains(.lockedOnFault)
      || area.flags.contains(.droppable) && process.space.layout.futureFlags.contains(.locked)
      || flags.contains(.populate) && !flags.contains(.nonBlock) && !area.flags.contains(.lockedOnFault)
    return MappingPlan(area: area, replaces: isFixed, populates: populates)
  }

  /// Refuses mappings that no file could be large enough for (Linux: `file_mmap_ok`); devices have no such border.
  func checkFileEnd(_ kind: FileObject.Kind, offset: UInt64, _ length: UInt64) throws(Errno) {
    let (end, overflow) = offset.addingReportingOverflow(length)
    let limit = kind == .special ? UInt64.max : UInt64(Int64.max)
    if overflow || end > limit { throw .eoverflow }
  }

  /// Rights and flags of a file mapping.
  private func describeFileMapping(
    _ area: inout VMA, _ file: OpenFile, type: UInt64, _ flags: MapFlags, offset: UInt64
  ) throws(Errno) {
    try checkFileEnd(files[file.file].kind, offset: offset, area.range.bytes)
    guard type >= 1, type <= 3 else { throw .einval }
    if type == 3, flags.rawValue & ~MapFlags.validated != 0 { throw .eopnotsupp }
    let object = files[file.file]
    let isShared = type != 2
    let wantsWrite = area.rights.contains(.write)
    if isShared, wantsWrite, !file.isWritable { throw .eacces }
    guard file.isReadable else { throw .eacces }
    guard object.kind != .notMappable else { throw .enodev }
    if object.kind == .device {
      guard isShared else { throw .einval }
      area.flags.insert(.device)
      counters.value.usesDevices = true
    }
    let isWriteSealed = !object.seals.isDisjoint(with: [.write, .futureWrite])
    if isShared, wantsWrite, isWriteSealed { throw .eperm }
    area.file = file.file
    area.offset = offset
    area.flags.insert(.mayExecute)
    if isShared { area.flags.insert(.shared) }
    if !isShared || file.isWritable && !isWriteSealed { area.flags.insert(.mayWrite) }
  }

  /// The largest page that a mapping of a device could have, to place it at a multiple of that; nil for other files.
  private func devicePage(_ file: OpenFile, _ length: UInt64, offset: UInt64) -> PageSize? {
    guard files[file.file].kind == .device else { return nil }
    return service.pageSizes.all.last { $0.bytes <= length && offset & $0.mask == 0 }
  }

  /// Where a mapping of `length` bytes goes; at a multiple of `wanted` if there is room.
  private func placeMapping(
    _ space: Space<Database>, _ request: SystemCallRequest, _ flags: MapFlags, _ length: UInt64,
    _ alignment: PageSize, wanted: PageSize? = nil
  ) throws(Errno) -> VirtualAddress {
    guard length <= userEnd.raw else { throw .enomem }
    let wish = request.address(0)
    if flags.contains(.fixed) || flags.contains(.fixedNoReplace) {
      if alignment > .base, !wish.isAligned(to: alignment) { throw .einval }
      guard wish.raw <= userEnd.raw - length else { throw .enomem }
      guard wish.isAligned(to: .base) else { throw .einval }
      let range = VirtualRange(wish, bytes: length)
      let mustBeFree = flags.contains(.fixedNoReplace) && !Mutation.fixedNoReplaceReplaces.isPlanted
      if mustBeFree, !space.layout.areas.overlapping(range).isEmpty { throw .eexist }
      if wish < UserSpace.minimum, !request.circumstances.isAccepted { throw .eperm }
      return wish
    }
    if let placement = request.circumstances.placement { return placement }
    let hint = wish.aligned(down: .base)
    if let wanted { do { return try findRoom(space, length, near: hint, wanted) } catch {} }
    return try findRoom(space, length, near: hint, alignment)
  }

  /// A hole of `length` bytes: at `wish` if that is free, else as high as possible.
  ///
  /// Addresses behind `UserSpace.end` are only for programs that ask for them by a hint there, and no mapping reaches
  /// over that border by a hint (Linux: `arch_get_unmapped_area_topdown`, `mmap_address_hint_valid`).
  @usableFromInline
  func findRoom(
    _ space: Space<Database>, _ length: UInt64, near wish: VirtualAddress, _ alignment: PageSize = .base
  ) throws(Errno) -> VirtualAddress {
    let hint = wish.advanced(by: alignment.mask).aligned(down: alignment)
    let isHigh = hint > UserSpace.end
    if hint >= UserSpace.minimum, hint.raw <= userEnd.raw - length,
      isHigh == (hint.advanced(by: length) > UserSpace.end),
      space.layout.areas.isClearOfStack(hint.advanced(by: length)),
      space.layout.areas.overlapping(VirtualRange(hint, bytes: length)).isEmpty
    {
      return hint
    }
    let above = isHigh ? userEnd.raw &- UserSpace.end.raw : 0
    let gap = space.layout.areas.highestGap(
      bytes: length, floor: UserSpace.minimum, ceiling: UserSpace.mappingTop.advanced(by: above),
      alignment: alignment.bytes)
    guard let gap else { throw .enomem }
    return gap
  }
}

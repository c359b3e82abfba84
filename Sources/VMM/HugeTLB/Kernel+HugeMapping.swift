// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// mmap of pooled huge pages.
extension Kernel {
  /// The pool that a mapping takes its pages from: that of the file, or what MAP_HUGETLB names.
  /// - Returns: nil for ordinary pages. A replay whose driver has no pages of a size that Linux had gets ordinary ones.
  /// - Throws: `.einval` for a size that there is no pool of, and for MAP_HUGETLB with a file of ordinary pages.
  func poolForMapping(_ request: SystemCallRequest, _ flags: MapFlags, _ file: OpenFile?) throws(Errno)
    -> Int?
  {
    if let file {
      if let huge = files[file.file].hugeTLB { return huge.pool }
      if flags.contains(.hugeTLB), !request.circumstances.isAccepted { throw .einval }
      return nil
    }
    guard flags.contains(.hugeTLB) else { return nil }
    let type = flags.rawValue & MapFlags.typeMask
    if type == MapFlags.droppable.rawValue { return nil }
    if let number = poolNumber(logarithm: flags.rawValue >> 26) { return number }
    guard request.circumstances.isAccepted else { throw .einval }
    return nil
  }

  /// A mapping's length in whole pages; nil when it overflows, which for pooled pages is as if it were zero.
  func mappingLength(_ bytes: UInt64, pool: Int?) throws(Errno) -> UInt64 {
    guard let pool else {
      guard let length = pageAligned(bytes), length != 0 else { throw .enomem }
      return length
    }
    let mask = poolCell.value[pool].size.mask
    let (sum, overflow) = bytes.addingReportingOverflow(mask)
    if overflow { throw .einval }
    return sum & ~mask
  }

  /// The rest of what is asked of a mapping of pooled pages (Linux: `hugetlbfs_file_mmap`).
  func describeHugeMapping(_ area: inout VMA, pool: Int, _ flags: MapFlags) throws(Errno) {
    if flags.contains(.growsDown) { throw .einval }
    area.flags.insert(.hugeTLB)
    if flags.contains(.noReserve) { area.flags.insert(.noReserve) }
    guard area.offset & poolCell.value[pool].size.mask == 0,
      Int64(bitPattern: area.offset &+ area.range.bytes) >= 0,
      area.offset &+ area.range.bytes >= area.offset
    else { throw .einval }
  }

  /// A file of pooled pages that nobody holds yet.
  func makeHugeFile(pool: Int, size: UInt64 = 0, isSegment: Bool = false, seals: Seals = .seal) -> FileID {
    let id = files.make(.hugeTLB, size: size, seals: seals)
    files[id].hugeTLB = HugeFile(pool: pool, size: poolCell.value[pool].size, isSegment: isSegment)
    counters.value.usesHugeTLB = true
    return id
  }

  /// Puts a mapping of pooled pages in place. As on Linux, what it replaces is gone if there are too few pages even then.
  @inlinable
  func mapPooled(_ space: Space<Database>, _ plan: MappingPlan) throws(Errno) -> UInt64 {
    var isReserved = reserveFor(plan.area)
    if plan.replaces, isReserved || !space.layout.areas.overlapping(plan.area.range).isEmpty {
      do { try cutAtEdges(space, plan.area.range) } catch {
        abandon(plan.area, isReserved: isReserved)
        throw error
      }
      unmapForCall(space, plan.area.range)
      if !isReserved { isReserved = reserveFor(plan.area) }
    }
    guard isReserved else {
      abandon(plan.area, isReserved: false)
      throw .enomem
    }
    installPooled(space, plan.area)
    if plan.populates { populate(space, plan.area.range) }
    return plan.area.range.start.raw
  }

  /// Puts another part of the file where a part of its mapping is.
  @usableFromInline func remapPooled(_ space: Space<Database>, _ piece: VMA) throws(Errno) {
    _ = try mapPooled(space, MappingPlan(area: piece, replaces: true, populates: false))
  }

  @usableFromInline func reserveFor(_ area: VMA) -> Bool {
    reserve(neededReservations(area), in: poolNumber(of: area))
  }

  /// A mapping does not come about after all.
  @usableFromInline func abandon(_ area: VMA, isReserved: Bool) {
    if isReserved { unreserve(neededReservations(area), in: poolNumber(of: area)) }
    if hugePoolsFollowDemand, !isReserved { timesOutOfMemory &+= 1 }
    discardIfUnreachable(area.file)
  }

  /// Such pages stay in memory anyhow, so locks are not noted. A writable mapping makes its file as long as it reaches.
  @usableFromInline func installPooled(_ space: Space<Database>, _ area: VMA) {
    var area = area
    area.flags.subtract([.locked, .lockedOnFault])
    noteReservations(area, space)
    if area.rights.contains(.write) { files[area.file].reach(area.offset &+ area.range.bytes) }
    install(area, in: space)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension VMA {
  /// The address that page 0 of the file or group would have; wraps.
  @inlinable var origin: UInt64 {
    let first = offset &>> UInt64(PageSize.baseShift) & PageKey.pageMask
    return range.start.raw &- first &<< UInt64(PageSize.baseShift)
  }
}

// Which address spaces may hold pages of which group, and which page belongs to which group.
extension Kernel {
  /// Puts a private page that `space` has just mapped at `address` on its list, with its key.
  @inlinable
  func admit(_ frame: FrameNumber, _ space: Space<Database>, _ index: Int, at address: VirtualAddress) {
    pageLists.admit(frame, key(space, index, at: address), .anonymous)
  }

  /// The key of private pages at `address`.
  @inlinable func key(_ space: Space<Database>, _ index: Int, at address: VirtualAddress) -> PageKey {
    let area = space.layout.areas.areas[index]
    let group = area.group != 0 ? area.group : makeGroup(space, index)
    return PageKey(group: group, page: area.filePage(at: address))
  }

  /// Gives an area a group with its first private page: a neighbour's that it may be merged with one day, or a new one.
  @usableFromInline func makeGroup(_ space: Space<Database>, _ index: Int) -> UInt32 {
    let areas = space.layout.areas.areas
    let area = areas[index]
    var group: UInt32 = 0
    if index > 0, areas[index - 1].continues(in: area) { group = areas[index - 1].group }
    if group == 0, index + 1 < areas.count, area.continues(in: areas[index + 1]) {
      group = areas[index + 1].group
    }
    if group == 0 {
      guard let fresh = groupCell.value.make() else {
        preconditionFailure("more than 8 million groups of private pages")
      }
      group = fresh
    }
    space.layout.areas.areas[index].group = group
    groupCell.value.add(group, space.number, pages: area.range.pages, origin: area.origin)
    return group
  }

  @usableFromInline func holdGroup(of area: VMA, in space: Space<Database>) {
    groupCell.value.add(area.group, space.number, pages: area.range.pages, origin: area.origin)
  }

  @usableFromInline func dropGroup(of area: VMA, in space: Space<Database>) {
    settleGroupGains(space)
    groupCell.value.remove(area.group, space.number, pages: area.range.pages)
  }

  /// Counts what merging of areas has added to groups. The space is a member of them already.
  @usableFromInline func settleGroupGains(_ space: Space<Database>) {
    guard !space.layout.areas.groupGains.isEmpty else { return }
    for gain in space.layout.areas.groupGains {
      groupCell.value.add(gain.group, space.number, pages: gain.pages, origin: 0)
    }
    space.layout.areas.groupGains.removeAll(keepingCapacity: true)
  }

  /// Makes a stack longer at its lower end.
  func growDown(_ space: Space<Database>, _ index: Int, to base: VirtualAddress) {
    let bytes = space.layout.areas.areas[index].range.start.raw - base.raw
    space.layout.areas.areas[index].range.start = base
    space.layout.areas.areas[index].offset &-= bytes
    if space.layout.areas.areas[index].flags.contains(.accounted) {
      counters.value.committedPages &+= bytes >> 12
    }
    let group = space.layout.areas.areas[index].group
    if group != 0 { groupCell.value.add(group, space.number, pages: bytes >> 12, origin: 0) }
    // A stack that has grown is copied by a fork even where it holds nothing but pages of zeroes, as on Linux.
    if group == 0 {
      _ = makeGroup(space, index)
      space.layout.areas.areas[index].flags.insert(.hasPrivatePages)
    }
  }

  /// Enters a new address space by its number.
  @usableFromInline func register(_ space: Space<Database>) -> Space<Database> {
    while spaceCell.value.count <= Int(space.number) { spaceCell.value.append(nil) }
    spaceCell.value[Int(space.number)] = space
    return space
  }

  /// Takes an address space out, which is empty.
  @usableFromInline func unregister(_ space: Space<Database>) {
    if !userfaults.isEmpty { forgetUserfaults(of: space.number) }
    if space.layout.mayMerge { samePages.forget(space.number) }
    memoryGroups.value.join(space.number, 0, space.faults)
    spaceCell.value[Int(space.number)] = nil
  }

  /// A new database; reclaims memory for its tables if there is too little.
  @inlinable func makeDatabase(_ context: DatabaseContext) throws(ServiceError) -> Database {
    while true {
      do { return try service.makeDatabase(context) } catch {
        guard error == .outOfMemory, reclaimAfterFailure() else { throw error }
      }
    }
  }
}

extension VMA {
  /// Whether `next`, right behind this area, goes on in the same file or memory; rights may differ.
  func continues(in next: VMA) -> Bool {
    range.end == next.range.start && file == next.file && isPrivate && next.isPrivate
      && offset &+ range.bytes == next.offset && group | next.group != 0
  }
}

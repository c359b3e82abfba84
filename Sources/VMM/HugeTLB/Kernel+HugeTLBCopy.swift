// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Copy-on-write of pooled huge pages: always the whole page.
extension Kernel {
  /// A store to a page of a private mapping that is not writable. A page that nobody else has becomes writable where it
  /// is; a file's page never does, even if nobody else maps it.
  ///
  /// Where the pool has no page for the copy, the process that was promised pages takes the old one away from those
  /// that inherited it; others are refused (Linux: `hugetlb_wp`).
  @inlinable
  func copyPooledPage(_ space: Space<Database>, _ area: VMA, _ object: Database.Object) -> FaultOutcome? {
    let (table, old, start) = (platform.frames.table, object.frame, object.start)
    func allow() -> FaultOutcome {
      do { try space.database.makeWritable(at: start) } catch { return .outOfMemory }
      return .resolved(.copyOnWrite)
    }
    if table.mappings(old) == 1, table.references(old) == 0 { return allow() }
    switch takeHugePage(space, area, at: start) {
    case .page(let head, let wasReserved):
      copyHugePage(old, to: head, object.size)
      var fresh = object
      fresh.place(head, grants(area.rights, writable: true).union(.dirty))
      do {
        space.database.settle(try space.database.update(fresh).takeObligation())
      } catch {
        untakeHugePage(head, space, area, at: start, wasReserved: wasReserved)
        return .outOfMemory
      }
      table.addMapping(head)
      meter.count(.pageReplaced)
      noteHugePages(space, start, .hasPrivatePages)
      if table.dropMapping(old) == 0, table.references(old) == 0 { putHugePage(old, poolNumber(of: area)) }
      return .resolved(.copyOnWrite)
    case .noBlock where !area.ownsHugeReservations: return nil
    case .exhausted, .noBlock:
      _ = platform.frames.takeFailedOrder()
      guard area.ownsHugeReservations, table.references(old) == 0 else { return .refused(.noHugePage) }
      takeBack(old, area, at: start)
      return table.mappings(old) == 1 ? allow() : .refused(.noHugePage)
    }
  }

  @usableFromInline func poolNumber(of area: VMA) -> Int { files[area.file].hugeTLB?.pool ?? 0 }

  /// Takes the page in `head` away from all who inherited the mapping of `owner`: what they touch and do not have, they
  /// will not get (Linux: `unmap_ref_private`).
  @inlinable func takeBack(_ head: FrameNumber, _ owner: VMA, at address: VirtualAddress) {
    for heir in heirs(of: owner, at: address) {
      let object = heir.space.database.find(heir.address)
      guard object.isPresent, object.frame == head else { continue }
      zapPooled(heir.space, heir.area, object.span)
      loseHugePages(heir.space, heir.area)
    }
  }

  /// Private mappings of the same page that were promised nothing.
  @usableFromInline
  func heirs(of owner: VMA, at address: VirtualAddress) -> [(
    space: Space<Database>, area: VMA, address: VirtualAddress
  )] {
    let place = owner.offset &+ (address.raw &- owner.range.start.raw)
    var found: [(space: Space<Database>, area: VMA, address: VirtualAddress)] = []
    for member in files[owner.file].mappers.members {
      guard let space = spaceCell.value[Int(member.space)] else { continue }
      for area in space.layout.areas.areas
      where area.file == owner.file && area.isPrivate && !area.ownsHugeReservations {
        guard place >= area.offset, place - area.offset < area.range.bytes else { continue }
        found.append((space, area, area.range.start.advanced(by: place - area.offset)))
      }
    }
    return found
  }

  @usableFromInline func loseHugePages(_ space: Space<Database>, _ area: VMA) {
    space.layout.areas.update(area.range) { $0.flags.insert(.lostHugePages) }
  }
}

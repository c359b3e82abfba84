// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

extension Kernel {
  /// The pages of `range`, one entry each.
  /// - Parameter showsFrames: whether the reader may know frame numbers (CAP_SYS_ADMIN); they are zero else.
  public func pageMap(_ space: Space<Database>, _ range: VirtualRange, showsFrames: Bool = true)
    -> [PageMapEntry]
  {
    var entries: [PageMapEntry] = []
    var address = range.start
    while address < range.end {
      entries.append(pageMapEntry(space, address, showsFrames: showsFrames))
      address = address.advanced(by: PageSize.base.bytes)
    }
    return entries
  }

  private func pageMapEntry(_ space: Space<Database>, _ address: VirtualAddress, showsFrames: Bool)
    -> PageMapEntry
  {
    var entry = PageMapEntry()
    guard let area = space.layout.areas.area(at: address) else { return entry }
    let object = space.database.find(address)
    let isNew = !space.layout.tracksSoftDirty || area.flags.contains(.softDirty)
    if isNew || object.isMapped && object.isSoftDirty { entry.set(55) }
    guard object.isMapped else { return entry }
    if object.isUserfaultWriteProtected { entry.set(57) }
    if object.isPresent {
      entry.set(63)
      let frame = frame(of: object, at: address)
      if showsFrames { entry.rawValue |= frame.raw }
      if object.isSpecial { return entry }
      if area.flags.contains(.hugeTLB) {
        if platform.frames.table.references(object.frame) > 0 { entry.set(61) }
        if platform.frames.table.mappings(object.frame) == 1 { entry.set(56) }
        return entry
      }
      if !isAnonymous(frame), !area.isAnonymous { entry.set(61) }
      if mappers(of: object, frame) == 1 { entry.set(56) }
    } else if let slot = space.database.swapEntry(of: object) {
      entry.set(62)
      if slot == Marker.guardPage { entry.set(58) } else { entry.setSlot(slot) }
    }
    return entry
  }

  /// The base frame that `address` reaches through `object`.
  @inlinable func frame(of object: Database.Object, at address: VirtualAddress) -> FrameNumber {
    object.frame.advanced(by: (address.raw &- object.start.raw) &>> UInt64(PageSize.baseShift))
  }

  /// How many translations a page has: those of its block while that was not cut.
  func mappers(of object: Database.Object, _ frame: FrameNumber) -> UInt32 {
    let isWhole = object.size != .base && !platform.frames.isCut(object.frame)
    return platform.frames.table.mappings(isWhole ? object.frame : frame)
  }
}

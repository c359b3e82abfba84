// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Giving every sharer of a merged page a page of its own again.
extension Kernel {
  /// Says what the merging job does from now on. `.unmerge` takes everything apart that was merged.
  /// - Throws: `.enomem` when memory for the copies ran out: the job is stopped then, and the rest stays merged.
  @inlinable @inline(never)
  public func setMergeMode(_ mode: MergeMode) throws(Errno) {
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    let old = noteMode(mode)
    guard mode == .unmerge, old != .unmerge else { return }
    do {
      for space in spaceCell.value {
        guard let space, space.layout.mayMerge else { continue }
        for area in space.layout.areas.areas where area.flags.contains(.mergeable) {
          try unmerge(space, area.range)
        }
      }
    } catch {
      _ = noteMode(.stop)
      throw error
    }
    samePages.reset(platform.frames.table)
  }

  /// Says whether pages of different nodes may be merged (Linux: `merge_across_nodes`).
  /// - Throws: `.ebusy` while pages are merged: `setMergeMode(.unmerge)` takes them apart.
  public func setMergesAcrossNodes(_ isOn: Bool) throws(Errno) {
    guard samePages.settings.mergesAcrossNodes != isOn else { return }
    samePages.clean(platform.frames.table)
    guard samePages.counts.shared == 0 else { throw .ebusy }
    samePages.reset(platform.frames.table)
    samePages.settings.mergesAcrossNodes = isOn
  }

  @usableFromInline func noteMode(_ mode: MergeMode) -> MergeMode {
    defer { samePages.mode = mode }
    return samePages.mode
  }

  /// Gives `space` pages of its own for all merged ones in `range`. Pages of zeroes stay.
  /// - Throws: `.enomem`; the pages before are done then.
  @inlinable func unmerge(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    var merged: [VirtualAddress] = []
    forEachPresent(space, range) { object in
      if platform.frames.table.pageFlags(object.frame).contains(.merged) { merged.append(object.start) }
    }
    for address in merged {
      while !unshare(space, address) {
        guard reclaimAfterFailure() else {
          timesOutOfMemory &+= 1
          throw .enomem
        }
      }
    }
    samePages.forget(space.number, in: range)
  }

  /// Puts a copy in place of a merged page.
  /// - Returns: false when memory ran out; nothing changed then.
  @inlinable func unshare(_ space: Space<Database>, _ address: VirtualAddress) -> Bool {
    guard let index = space.layout.areas.index(of: address) else { return true }
    if counters.value.placesPages { aim(space, space.layout.areas.areas[index], address) }
    return withPageLock(space, address) {
      let object = space.database.find(address)
      guard object.isPresent, !object.isSpecial, object.size == .base,
        platform.frames.table.pageFlags(object.frame).contains(.merged)
      else { return true }
      guard let copy = allocateCopy(of: object.frame) else { return false }
      var own = object
      own.frame = copy
      own.isDirty = true
      guard replaceForMerging(space, object.frame, by: own) else {
        freePage(copy)
        return false
      }
      platform.frames.table.addMapping(copy)
      admit(copy, space, index, at: address)
      release([object.frame])
      return true
    }
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

// One interrupt for a call, not one for each of its areas.
extension Kernel {
  /// Unmaps areas that are out of the layout already, and lets go of their files.
  ///
  /// While other CPUs run on the space their flushes are one: all areas are unmapped first, then the flush goes out, and
  /// only then pages are freed. A CPU alone flushes each area by itself, which forgets less.
  @inlinable func drop(_ areas: some RandomAccessCollection<VMA>, of space: Space<Database>) {
    if areas.count > 1, isElsewhere(space) { return dropTogether(areas, of: space) }
    for area in areas {
      meter.count(.vmaStep)
      zap(space, area: area)
      drop(area, of: space)
    }
  }

  @inlinable @inline(never)
  func dropTogether(_ areas: some RandomAccessCollection<VMA>, of space: Space<Database>) {
    let mark = meter.enter(.rangeOperation)
    var gather = FrameGather(platform.frames, pageLists, swapCell)
    space.database.batch {
      for area in areas where !area.flags.contains(.hugeTLB) { zap(space, area.range, &gather) }
    }
    settle(gather, of: space)
    meter.leave(mark)
    for area in areas {
      meter.count(.vmaStep)
      // Pools take their pages back one area at a time.
      if area.flags.contains(.hugeTLB) { zap(space, area: area) }
      drop(area, of: space)
    }
  }
}

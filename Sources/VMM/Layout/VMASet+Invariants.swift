// SPDX-License-Identifier: MIT
internal import SimMemory

extension VMASet {
  /// The first broken invariant in words; nil when all hold: areas are page-aligned, not empty, in order, disjoint, and
  /// no two neighbours could be one.
  public func brokenInvariant() -> String? {
    var previous: VMA?
    for area in areas {
      if area.range.isEmpty { return "empty area at \(area.range)" }
      if !area.range.start.isAligned(to: .base) || !area.range.end.isAligned(to: .base) {
        return "area \(area.range) is not page-aligned"
      }
      if let previous {
        if previous.range.end > area.range.start {
          return "areas \(previous.range) and \(area.range) overlap"
        }
        if previous.joins(area) { return "areas \(previous.range) and \(area.range) should be one" }
      }
      previous = area
    }
    return nil
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

extension VMASet {
  /// The highest hole of `bytes` that ends at or below `ceiling` and starts at or above `floor`.
  ///
  /// Leaves the stack's guard gap free below areas that grow down (Linux: `stack_guard_gap`).
  public func highestGap(
    bytes: UInt64, floor: VirtualAddress, ceiling: VirtualAddress, alignment: UInt64 = 4096
  ) -> VirtualAddress? {
    var top = ceiling.raw
    var index = firstIndex(endingAfter: VirtualAddress(ceiling.raw &- 1))
    if index < areas.count, areas[index].range.start < ceiling { top = bottom(of: areas[index]) }
    while true {
      let below = index > 0 ? Swift.max(areas[index - 1].range.end.raw, floor.raw) : floor.raw
      if top >= below, top - below >= bytes {
        let start = (top - bytes) / alignment * alignment
        if start >= below { return VirtualAddress(start) }
      }
      guard index > 0, areas[index - 1].range.end > floor else { return nil }
      index -= 1
      top = Swift.min(top, bottom(of: areas[index]))
    }
  }

  /// Whether a mapping that ends at `end` leaves the guard gap of the next area free, if that is a stack.
  @usableFromInline func isClearOfStack(_ end: VirtualAddress) -> Bool {
    let index = firstIndex(endingAfter: end)
    return index == areas.count || end.raw <= bottom(of: areas[index])
  }

  /// The lowest address that an area keeps for itself.
  private func bottom(of area: VMA) -> UInt64 {
    guard area.flags.contains(.growsDown) else { return area.range.start.raw }
    return area.range.start.raw > StackRule.guardGap ? area.range.start.raw - StackRule.guardGap : 0
  }
}

/// How stacks grow (Linux `mm/mmap.c`, `expand_downwards`).
public enum StackRule {
  /// Bytes that stay free below a stack: 256 pages.
  @inlinable public static var guardGap: UInt64 { 256 << 12 }
}

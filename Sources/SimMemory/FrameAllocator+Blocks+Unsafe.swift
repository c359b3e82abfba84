// SPDX-License-Identifier: MIT

/// A block of frames as the allocator keeps or gave it.
public struct FrameBlock: Sendable, Equatable {
  /// The first frame.
  public var start: FrameNumber
  /// The binary logarithm of the number of frames.
  public var order: Int
  /// Whether it is free.
  public var isFree: Bool
}

// SAFETY of this file: the caller walks from a node's first frame in steps of whole blocks, so every record looked at
// is the first of a block.
extension FrameAllocator {
  /// The frames of `node`.
  public func frames(ofNode node: Int) -> Range<UInt64> {
    unsafe UInt64(nodes[node].first)..<UInt64(nodes[node].end)
  }

  /// The block that starts at `frame`. The first block of a node starts at its first frame, and each other one behind
  /// the block before.
  public func block(startingAt frame: FrameNumber) -> FrameBlock {
    let state = unsafe table.records[Int(frame.raw)].state
    let order = unsafe Int(table.records[Int(frame.raw)].order)
    return FrameBlock(
      start: frame, order: order,
      isFree: state == FrameState.free.rawValue || state == FrameState.cached.rawValue)
  }

  /// The order of the largest block that could not be had since this was asked last; 0 when only single frames, or
  /// nothing, were refused.
  public func takeFailedOrder() -> Int {
    let order = unsafe plan.pointee.failedOrder
    unsafe plan.pointee.failedOrder = 0
    return order
  }
}

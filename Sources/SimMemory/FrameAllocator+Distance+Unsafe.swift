// SPDX-License-Identifier: MIT

// Which node stands in for which, and allocations that may use some nodes only. SAFETY: the order of nodes is behind the
// locks and the count of clearings, `nodeCount` words for each node; see `SimulatedMemory`.
extension FrameAllocator {
  /// The node that is asked at `step` when `node` is wanted: itself at step 0, then the others, nearest first.
  @inlinable public func fallback(of node: Int, step: Int) -> Int {
    Int(truncatingIfNeeded: unsafe locks[nodeCount &+ 1 &+ node &* nodeCount &+ step])
  }

  /// Sets the order in which other nodes stand in for each node: the nearest first; of equally near ones those with
  /// higher numbers, then from 0 on. To be called while nobody allocates.
  /// - Parameter distance: how far the second node is from the first.
  public func setFallback(byDistance distance: (Int, Int) -> Int) {
    for node in 0..<nodeCount {
      func rank(_ other: Int) -> (Int, Int) {
        (other == node ? -1 : distance(node, other), (other + nodeCount - node) % nodeCount)
      }
      let order = (0..<nodeCount).sorted { rank($0) < rank($1) }
      for (step, other) in order.enumerated() {
        unsafe locks[nodeCount + 1 + node * nodeCount + step] = UInt64(other)
      }
    }
  }

  /// Takes an aligned block of 2^`order` frames from the first node that has one, in order of distance from `node`,
  /// among those whose bits are set in `allowed`.
  /// - Returns: the block's first frame, or nil when none of these nodes has such a block or a failure was injected.
  public func allocate(order: Int, node: Int, within allowed: UInt64) -> FrameNumber? {
    lock(node)
    let isRefused = unsafe plan.pointee.shouldFail()
    unlock(node)
    if isRefused { return nil }
    for step in 0..<nodeCount {
      let other = fallback(of: node, step: step)
      guard allowed >> UInt64(other) & 1 == 1 else { continue }
      lock(other)
      let frame = takeHere(order: order, node: other)
      unlock(other)
      guard let frame else { continue }
      if tally != nil { note(frame, order: order) }
      return frame
    }
    lock(node)
    unsafe plan.pointee.failedOrder = max(plan.pointee.failedOrder, order)
    unlock(node)
    return nil
  }
}

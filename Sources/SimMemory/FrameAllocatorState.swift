// SPDX-License-Identifier: MIT

/// The allocator's mutable state for one NUMA node.
///
/// Single frames come from a small last-in-first-out cache, so that a page fault's frame costs a handful of
/// instructions; blocks of 2^order frames come from buddy lists.
@usableFromInline struct NodeState {
  /// Largest block, 2^20 frames = 4 GiB.
  @usableFromInline static var maximumOrder: Int { 20 }
  /// Frames in the cache when it is full.
  @usableFromInline static var cacheCapacity: Int { 64 }

  /// First frame of the node and the frame behind its last.
  @usableFromInline var first: UInt32
  @usableFromInline var end: UInt32
  @usableFromInline var freeFrames: UInt64
  /// Heads of the buddy free lists by order; 0 is an empty list.
  @usableFromInline var heads: InlineArray<21, UInt32>
  @usableFromInline var cached: Int
  @usableFromInline var cache: InlineArray<64, UInt32>

  @usableFromInline init(first: UInt32, end: UInt32) {
    self.first = first
    self.end = end
    freeFrames = 0
    heads = InlineArray(repeating: 0)
    cached = 0
    cache = InlineArray(repeating: 0)
  }
}

/// Decides which allocation fails: the injector that fault-injection tests set.
@usableFromInline struct FailurePlan {
  /// Allocations until the first failure; negative means never.
  @usableFromInline var countdown: Int64 = -1
  /// Whether all allocations after the first failure fail too.
  @usableFromInline var staysBroken = false
  /// Allocations asked for since the plan was set.
  @usableFromInline var requests: UInt64 = 0
  /// The order of the largest block that could not be had since somebody asked for this.
  @usableFromInline var failedOrder = 0

  /// Counts one request.
  /// - Returns: whether it must fail.
  @inlinable mutating func shouldFail() -> Bool {
    requests &+= 1
    guard countdown >= 0 else { return false }
    if countdown > 0 {
      countdown &-= 1
      return false
    }
    if !staysBroken { countdown = -1 }
    return true
  }
}

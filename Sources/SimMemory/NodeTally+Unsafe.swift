// SPDX-License-Identifier: MIT
public import Synchronization

/// Counts by NUMA node the frames that were taken through one handle of the allocator and not given back through it:
/// what an owner of many frames, such as the tables of an address space, holds on each node.
///
/// A handle; whoever made it calls `release` when no allocator handle counts with it any more.
///
/// SAFETY: `counts` has one word for all takings and one for each node; they live until `release` and are atomic. One
/// pointer and no more, because it is part of every handle of a database.
@safe @frozen public struct NodeTally: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let counts: UnsafeMutablePointer<Atomic<UInt64>>

  /// Counts for `nodes` nodes, all zero.
  public init(nodes: Int) {
    unsafe counts = .allocate(capacity: nodes + 1)
    for index in 0...nodes { unsafe (counts + index).initialize(to: Atomic(0)) }
  }

  /// Frees the counts.
  public func release() {
    unsafe counts.deallocate()
  }

  /// Frames held on `node`.
  public func frames(onNode node: Int) -> UInt64 { unsafe counts[node + 1].load(ordering: .relaxed) }

  /// How many frames were ever taken.
  public var taken: UInt64 { unsafe counts[0].load(ordering: .relaxed) }

  @usableFromInline func add(_ frames: UInt64, node: Int) {
    unsafe _ = counts[node + 1].wrappingAdd(frames, ordering: .relaxed)
    unsafe _ = counts[0].wrappingAdd(frames, ordering: .relaxed)
  }

  @usableFromInline func subtract(_ frames: UInt64, node: Int) {
    let (old, _) = unsafe counts[node + 1].wrappingSubtract(frames, ordering: .relaxed)
    precondition(old >= frames, "frames are given back through a handle that did not take them")
  }
}

extension FrameAllocator {
  /// A handle to the same allocator that counts what is taken and given back through it.
  public func counting(with tally: NodeTally) -> FrameAllocator {
    var copy = self
    copy.tally = tally
    return copy
  }

  @usableFromInline @inline(never) func note(_ frame: FrameNumber?, order: Int) {
    guard let tally, let frame else { return }
    tally.add(1 &<< UInt64(order), node: node(of: frame))
  }

  @usableFromInline @inline(never) func noteFree(_ frame: FrameNumber, order: Int) {
    tally?.subtract(1 &<< UInt64(order), node: node(of: frame))
  }
}

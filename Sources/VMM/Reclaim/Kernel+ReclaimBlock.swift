// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Contiguous memory for tables: when a block of frames is refused, the block that costs least is emptied.
extension Kernel {
  /// Empties one aligned block of 2^`order` frames of everything that can be reclaimed.
  /// - Returns: whether all of it is free now.
  @inlinable func reclaimBlock(order: Int) -> Bool {
    for node in 0..<platform.frames.nodeCount {
      var avoided: Set<UInt64> = []
      for _ in 0..<4 {
        guard let (start, pages) = cheapestBlock(order: order, node: node, avoiding: avoided) else { break }
        for frame in pages { pageLists.remove(frame) }
        if evict(pages, ignoringUse: true) == UInt64(pages.count) { return true }
        avoided.insert(start)
      }
    }
    return false
  }

  /// The aligned block with the fewest pages in it, all of which might be taken, and those pages.
  @usableFromInline
  func cheapestBlock(order: Int, node: Int, avoiding avoided: Set<UInt64>) -> (UInt64, [FrameNumber])? {
    let frames = platform.frames
    let (range, size) = (frames.frames(ofNode: node), UInt64(1) << UInt64(order))
    var best: (UInt64, [FrameNumber])?
    var candidate = range.lowerBound / size * size
    var pages: [FrameNumber]? = range.lowerBound == candidate ? [] : nil
    var next = range.lowerBound
    while next < range.upperBound {
      let block = frames.block(startingAt: FrameNumber(next))
      let start = next / size * size
      if start != candidate {
        if let pages, !avoided.contains(candidate), pages.count < best?.1.count ?? .max {
          best = (candidate, pages)
        }
        candidate = start
        pages = []
      }
      if !block.isFree {
        if block.order == 0, mayBeTaken(block.start) { pages?.append(block.start) } else { pages = nil }
      }
      next += 1 << UInt64(block.order)
    }
    if let pages, candidate + size <= range.upperBound, !avoided.contains(candidate),
      pages.count < best?.1.count ?? .max
    {
      best = (candidate, pages)
    }
    return best
  }

  private func mayBeTaken(_ frame: FrameNumber) -> Bool {
    let flags = platform.frames.table.pageFlags(frame)
    return flags.contains(.onList) && flags.isDisjoint(with: [.mlocked, .hugeHead])
      && (!flags.contains(.anonymous) || flags.contains(.lazilyFreed) || canSwap)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory

extension RadixTree {
  /// A block of 2 MiB for a flattened node. Its parts are clear already, but for those in which the last holder left
  /// something.
  @inlinable @inline(never)
  static func makeFlattened(_ context: DatabaseContext, at level: Int) -> RadixNode? {
    let frames = context.platform.frames
    guard let block = frames.allocate(order: FPTFormat.order, node: context.node) else { return nil }
    var (cleared, rounds): (UInt64, UInt64) = (0, level == 1 ? 2 : 1)
    if !frames.isClear(block, frames: Shape.entries) {
      rounds &+= 1
      for index in 0..<Shape.entries where frames.clear(block.advanced(by: index)) { cleared &+= 1 }
    }
    if level == 1 {
      for index in 0..<Shape.entries { frames.table.setNext(block, of: block.advanced(by: index)) }
    }
    context.meter.count(.tableFrame, Swift.max(cleared, 1))
    context.meter.count(.tableFrameChecked, rounds &* Shape.entries)
    return RadixNode(block.address.raw | FPTFormat.rootMark, level)
  }

  /// Gives the block of a flattened node back, with the counts of all its frames at zero. Parts in which entries were
  /// left are cleared by the next holder.
  @inlinable @inline(never) func freeFlattened(_ node: RadixNode) {
    context.meter.count(.tableFrameChecked, Shape.entries)
    for index in 0..<Shape.entries {
      let part = node.frame.advanced(by: index)
      guard table.word(part) != 0 else { continue }
      table.setWord(0, part)
      if !Mutation.flattenedBlockUnclean.isPlanted { context.platform.frames.markUsed(part, frames: 1) }
    }
    context.platform.frames.free(node.frame, order: FPTFormat.order)
  }
}

// SPDX-License-Identifier: MIT
internal import SimMemory

/// Memory that a device offers for mapping, without a page cache in between (Linux: DAX).
///
/// It is made of blocks, largest first, so that a block begins at a multiple of its size in the device too, and offsets
/// that are aligned lead to frames that are.
struct DeviceMemory: Sendable {
  struct Block: Sendable {
    /// The number of its first page in the device.
    var page: UInt64
    var head: FrameNumber
    var order: Int
    /// The page behind its last.
    var end: UInt64 { page + (1 << UInt64(order)) }
  }

  private(set) var blocks: [Block] = []
  private(set) var pages: UInt64 = 0

  /// One more block at the end.
  mutating func append(_ head: FrameNumber, order: Int) {
    blocks.append(Block(page: pages, head: head, order: order))
    pages += 1 << UInt64(order)
  }

  /// The frame of `page`, where `count` pages from there on lie behind each other in memory. O(log blocks).
  func frame(of page: UInt64, count: UInt64) -> FrameNumber? {
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = (low + high) / 2
      if blocks[middle].end <= page { low = middle + 1 } else { high = middle }
    }
    guard low < blocks.count else { return nil }
    let block = blocks[low]
    guard page + count <= block.end else { return nil }
    return block.head.advanced(by: page - block.page)
  }
}

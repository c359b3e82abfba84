// SPDX-License-Identifier: MIT

// SAFETY of this file: the bitmap has one bit per frame; see `clearIfUsed` for who may race.
extension FrameAllocator {
  /// Makes a block's bytes zero, and remembers that its frames are in use from now on.
  ///
  /// The arena is born zero, so frames that were never handed out need no clearing. Only the holder of a
  /// frame calls this, so no two threads work on one frame.
  /// - Returns: whether bytes had to be cleared.
  @inlinable public func clearIfUsed(_ frame: FrameNumber, frames: UInt64) -> Bool {
    var cleared = false
    for step in 0..<frames {
      let current = frame.advanced(by: step)
      if unsafe table.records[Int(current.raw)].wasUsed {
        memory.zero(current.address, bytes: PageSize.base.bytes)
        cleared = true
      }
      unsafe table.records[Int(current.raw)].wasUsed = true
    }
    return cleared
  }

  /// Remembers that a block was given away without clearing: its bytes are the holder's business.
  @inlinable public func markUsed(_ frame: FrameNumber, frames: UInt64) {
    for step in 0..<frames { unsafe table.records[Int(frame.raw &+ step)].wasUsed = true }
  }
}

// SPDX-License-Identifier: MIT

// SAFETY of this file: a frame's record is changed here by the frame's holder only, so no two threads work on one.
extension FrameAllocator {
  /// Makes a frame's bytes zero, unless they are known to be: the arena is born zero, and see `markClear`.
  ///
  /// They are known to be zero from then on. A holder that writes to the frame calls `markUsed`, at the latest when it
  /// gives the frame back.
  /// - Returns: whether bytes had to be cleared.
  @inlinable public func clear(_ frame: FrameNumber) -> Bool {
    guard unsafe table.record(frame).pointee.wasUsed else {
      assert(memory.isZero(frame.address, bytes: PageSize.base.bytes), "a frame is not as clear as was said")
      return false
    }
    memory.zero(frame.address, bytes: PageSize.base.bytes)
    unsafe table.record(frame).pointee.wasUsed = false
    return true
  }

  /// Makes a block's bytes zero, and remembers that its frames are in use from now on.
  /// - Returns: whether bytes had to be cleared.
  @inlinable public func clearIfUsed(_ frame: FrameNumber, frames: UInt64) -> Bool {
    var cleared = false
    for step in 0..<frames where clear(frame.advanced(by: step)) { cleared = true }
    markUsed(frame, frames: frames)
    return cleared
  }

  /// Remembers that a block's bytes are the holder's business: nobody clears them now, whoever wants them zero next does.
  @inlinable public func markUsed(_ frame: FrameNumber, frames: UInt64) {
    for step in 0..<frames { unsafe table.record(frame.advanced(by: step)).pointee.wasUsed = true }
  }

  /// Says that the holder of a frame, which was zero when it came, has taken back all that it wrote: the next holder
  /// finds zeros without anybody clearing.
  @inlinable public func markClear(_ frame: FrameNumber) {
    assert(memory.isZero(frame.address, bytes: PageSize.base.bytes), "a frame is not as clear as was said")
    unsafe table.record(frame).pointee.wasUsed = false
  }
}

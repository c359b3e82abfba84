// SPDX-License-Identifier: MIT
internal import Glibc
public import Mutations
public import Synchronization

// SAFETY of this file: a frame's record is changed here by the frame's holder only, so no two threads work on one.
extension FrameAllocator {
  /// Makes a frame's bytes zero, unless they are known to be: the arena is born zero, and see `markClear`.
  ///
  /// They are known to be zero from then on. A holder that writes to the frame calls `markUsed`, at the latest when it
  /// gives the frame back.
  /// - Returns: whether bytes had to be cleared.
  @inlinable public func clear(_ frame: FrameNumber) -> Bool {
    guard unsafe table.record(frame).pointee.wasUsed != 0 else {
      assert(memory.isZero(frame.address, bytes: PageSize.base.bytes), "a frame is not as clear as was said")
      return false
    }
    memory.zero(frame.address, bytes: PageSize.base.bytes)
    unsafe table.record(frame).pointee.wasUsed = 0
    unsafe clearings.pointee.wrappingAdd(1, ordering: .relaxed)
    return true
  }

  /// How many frames were cleared since the arena was made: what no report of a driver is needed for.
  public var clearedFrames: UInt64 { unsafe clearings.pointee.load(ordering: .relaxed) }

  /// The word behind the nodes' locks.
  @inlinable var clearings: UnsafeMutablePointer<Atomic<UInt64>> {
    unsafe UnsafeMutableRawPointer(locks + nodeCount).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Whether all bytes of a block are known to be zero. One byte read for each frame, and no branch.
  @inlinable public func isClear(_ block: FrameNumber, frames: UInt64) -> Bool {
    var used: UInt8 = 0
    for step in 0..<frames { unsafe used |= table.record(block.advanced(by: step)).pointee.wasUsed }
    return used == 0
  }

  /// Makes a block's bytes zero, and remembers that its frames are in use from now on.
  /// - Returns: whether bytes had to be cleared.
  @inlinable public func clearIfUsed(_ block: FrameNumber, frames: UInt64) -> Bool {
    var cleared = false
    for step in 0..<frames {
      let frame = block.advanced(by: step)
      if clear(frame) { cleared = true }
      unsafe table.record(frame).pointee.wasUsed = 1
    }
    return cleared
  }

  /// The same for a block of page contents, in a function of its own.
  ///
  /// Never inlined, and without a call of `PhysicalMemory.zero`: who counts instructions leaves work on contents out by the
  /// names of functions, which must not call each other. Looking which frames of the block have to be cleared is a part
  /// of clearing it.
  @inline(never) public func clearBlock(_ block: FrameNumber, frames: UInt64) -> Bool {
    var cleared: UInt64 = 0
    for step in 0..<frames {
      let frame = block.advanced(by: step)
      if unsafe table.record(frame).pointee.wasUsed != 0 {
        unsafe _ = memset(
          memory.pointer(frame.address, bytes: PageSize.base.bytes), 0, Int(PageSize.base.bytes))
        cleared &+= 1
      }
      unsafe table.record(frame).pointee.wasUsed = 1
    }
    if cleared != 0 { unsafe clearings.pointee.wrappingAdd(cleared, ordering: .relaxed) }
    return cleared != 0
  }

  /// Remembers that a block's bytes are the holder's business: nobody clears them now, whoever wants them zero next does.
  @inlinable public func markUsed(_ frame: FrameNumber, frames: UInt64) {
    let count = Mutation.usedFrameNotNoted.isPlanted ? frames &- 1 : frames
    for step in 0..<count { unsafe table.record(frame.advanced(by: step)).pointee.wasUsed = 1 }
  }

  /// Says that the holder of a frame, which was zero when it came, has taken back all that it wrote: the next holder
  /// finds zeros without anybody clearing.
  @inlinable public func markClear(_ frame: FrameNumber) {
    assert(memory.isZero(frame.address, bytes: PageSize.base.bytes), "a frame is not as clear as was said")
    unsafe table.record(frame).pointee.wasUsed = 0
  }
}

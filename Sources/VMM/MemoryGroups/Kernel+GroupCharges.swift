// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

// Charging frames. While there are no groups none of this runs: taking a frame asks one flag, that there are several nodes
// or some group.
extension Kernel {
  /// Charges a block to the group of the address space that it is for.
  /// - Returns: the group, 0 for none; nil when a limit stands in the way.
  func chargeBlock(order: Int) -> UInt16? {
    guard memoryGroups.value.isInUse else { return 0 }
    let number = memoryGroups.value.group(of: numaCell.value.aim.space)
    guard number != 0 else { return 0 }
    return memoryGroups.value.charge(number, 1 << UInt64(order)) ? number : nil
  }

  /// The block that was charged is at `frame`, or there was none.
  func noteCharged(_ frame: FrameNumber?, order: Int, _ group: UInt16) {
    guard memoryGroups.value.isInUse else { return }
    // Whatever was charged for these frames before is gone with what they held.
    if let frame { memoryGroups.value.forget(frame, order: order) }
    guard group != 0 else { return }
    guard let frame else { return memoryGroups.value.uncharge(group, 1 << UInt64(order)) }
    memoryGroups.value.note(frame, order: order, group)
  }

  /// Frees frames that held a page.
  @inlinable func freePage(_ frame: FrameNumber, order: Int = 0) {
    if counters.value.placesPages { uncharge(frame, order: order) }
    if order == 0 { platform.frames.free(frame) } else { platform.frames.free(frame, order: order) }
  }

  @usableFromInline func uncharge(_ frame: FrameNumber, order: Int) {
    memoryGroups.value.forget(frame, order: order)
  }

  /// The frames that were gathered are about to be freed.
  @usableFromInline func uncharge(_ gather: borrowing FrameGather) {
    guard memoryGroups.value.isInUse else { return }
    var next = gather.first
    while next.raw != 0 {
      memoryGroups.value.forget(next, order: 0)
      next = platform.frames.table.next(next)
    }
    for block in gather.large { memoryGroups.value.forget(block.frame, order: block.order) }
  }

  /// The page in `frame` goes to `entry`, and counts there.
  func noteSwapped(_ frame: FrameNumber, _ entry: SwapEntry) {
    guard memoryGroups.value.isInUse else { return }
    memoryGroups.value.slots[entry] = memoryGroups.value.group(of: frame)
  }
}

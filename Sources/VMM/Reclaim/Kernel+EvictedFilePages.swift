// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

// File pages whose contents are outside memory.
extension Kernel {
  /// Reads a page that reclaim took back into a fresh frame.
  /// - Returns: whether it had been taken.
  func restore(_ file: FileObject, _ page: UInt64, into frame: FrameNumber) -> Bool {
    if let entry = SwapEntry(packed: file.slots[page]) {
      meter.count(.swapSlot, 2)
      swapCell.value.read(entry, into: frame, in: platform.memory)
      file.slots[page] = 0
      _ = swapCell.value.dropUser(entry)
      platform.frames.table.mark(.dirty, frame)
      reclaimCell.value.counts.swappedIn += 1
    } else {
      guard file.store.contains(page) else { return false }
      file.store.read(page, into: frame, in: platform.memory)
      reclaimCell.value.counts.readBack += 1
    }
    platform.frames.markUsed(frame, frames: 1)
    meter.count(.swapTransfer)
    reclaimCell.value.charge(isAnonymous: false, 1)
    return true
  }

  /// Forgets contents that are outside memory.
  func forgetEvicted(of id: FileID, _ pages: Range<UInt64>) {
    let file = files[id]
    guard file.hasEvictedPages else { return }
    for page in file.slots.positions(in: pages) {
      meter.count(.swapSlot, 2)
      if let entry = SwapEntry(packed: file.slots[page]) { _ = swapCell.value.dropUser(entry) }
      file.slots[page] = 0
    }
    for page in file.store.pages(in: pages) { file.store.discard(page) }
  }

  /// Makes bytes of a page zero that is not in memory.
  func zeroEvicted(_ file: FileObject, _ page: UInt64, _ range: Range<UInt64>) {
    let bytes = Int(range.lowerBound)..<Int(range.upperBound)
    if let entry = SwapEntry(packed: file.slots[page]) {
      swapCell.value.store(of: entry)?.zero(entry.offset, bytes)
    } else {
      file.store.zero(page, bytes)
    }
  }
}

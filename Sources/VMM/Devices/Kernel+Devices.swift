// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension VMAFlags {
  /// Memory of a device.
  @inlinable public static var device: Self { Self(rawValue: 1 << 23) }
}

// Devices whose memory programs map directly, as Linux's `/dev/dax*` and files of DAX file systems: shared mappings only.
extension Kernel {
  /// Sets `bytes` of memory aside for a device that programs open as `path`: zeroes, in blocks as large as the driver's
  /// largest pages where memory has them.
  /// - Throws: `.einval` for a length that is not whole pages or zero, `.eexist`, `.enomem`.
  public func addDevice(_ path: String, bytes: UInt64) throws(Errno) {
    guard bytes > 0, bytes & PageSize.base.mask == 0 else { throw .einval }
    guard files.named(path) == nil else { throw .eexist }
    var memory = DeviceMemory()
    while memory.pages < bytes >> 12 {
      let left = bytes >> 12 - memory.pages
      let fitting = service.pageSizes.all.reversed().filter { $0.basePages <= left }
      guard let block = takeDeviceBlock(fitting, largest: memory.blocks.last?.order) else {
        release(memory)
        throw .enomem
      }
      memory.append(block.head, order: block.order)
    }
    let id = files.make(.device, size: bytes)
    files[id].device = memory
    _ = files.name(id, path)
  }

  private func takeDeviceBlock(_ sizes: [PageSize], largest: Int?) -> (head: FrameNumber, order: Int)? {
    for size in sizes where size.order <= largest ?? .max {
      guard let head = takeFreeBlock(size) else { continue }
      clearHugePage(head, size)
      platform.frames.markUsed(head, frames: size.basePages)
      return (head, size.order)
    }
    return nil
  }

  /// A device that nothing leads to any more gives its memory back.
  func releaseDevice(_ id: FileID) {
    guard let memory = files[id].device else { return }
    release(memory)
    files[id].device = nil
  }

  private func release(_ memory: DeviceMemory) {
    for block in memory.blocks {
      meter.count(.blockFreed)
      platform.frames.free(block.head, order: block.order)
    }
  }

  /// Frames for a page of `size` at `page` of an area of a device; nil where the device has none that lie together.
  @usableFromInline func deviceFrame(_ area: VMA, _ page: VirtualRange) -> FrameNumber? {
    meter.count(.pageCache)
    let number = area.filePage(at: page.start)
    guard let head = files[area.file].device?.frame(of: number, count: page.pages),
      head.raw & (page.pages &- 1) == 0
    else { return nil }
    return head
  }
}

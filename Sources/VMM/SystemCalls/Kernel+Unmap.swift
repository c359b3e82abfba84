// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// `munmap(address, length)`. Unmapping nothing is fine.
  @inlinable func munmap(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let range = try checkUnmap(process.space, request.address(0), request[1])
    try commit(request)
    try cutAtEdges(process.space, range)
    unmapForCall(process.space, range)
    return 0
  }

  @usableFromInline
  func checkUnmap(_ space: Space<Database>, _ start: VirtualAddress, _ bytes: UInt64) throws(Errno)
    -> VirtualRange
  {
    guard start.isAligned(to: .base), start <= userEnd, bytes <= userEnd.raw - start.raw else {
      throw .einval
    }
    guard let length = pageAligned(bytes), length != 0 else { throw .einval }
    let range = VirtualRange(start, bytes: length)
    try checkUnsealed(space, range)
    try checkHugeEdges(space, range)
    let areas = space.layout.areas
    // As on Linux, only a hole inside of one area adds to their number.
    if areas.areas.count >= maximumAreas, let area = areas.overlapping(range).first,
      area.range.start < range.start, area.range.end > range.end
    {
      throw .enomem
    }
    return range
  }

  /// Refuses ranges with sealed areas.
  @usableFromInline func checkUnsealed(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    for area in space.layout.areas.overlapping(range) where area.flags.contains(.sealed) { throw .eperm }
  }

  /// Removes mappings and translations of `range`.
  @inlinable func unmap(_ space: Space<Database>, _ range: VirtualRange) {
    drop(takeAreas(space, range), of: space)
  }

  /// The same on behalf of a call that a userfaultfd may want to know of.
  @inlinable func unmapForCall(_ space: Space<Database>, _ range: VirtualRange) {
    if counters.value.watchesLayout { announceUnmapping(space, range) }
    unmap(space, range)
  }

  /// Takes the mappings of `range` out of the layout.
  @usableFromInline func takeAreas(_ space: Space<Database>, _ range: VirtualRange) -> [VMA] {
    let before = space.layout.areas.areas.count
    let pieces = space.layout.areas.remove(range)
    let cuts = space.layout.areas.areas.count + pieces.count - before
    meter.count(.vmaChange, UInt64(pieces.count + cuts))
    meter.count(
      .vmaMoved,
      UInt64(space.layout.areas.areas.count - space.layout.areas.firstIndex(endingAfter: range.end)))
    meter.count(.vmaGathered)
    return pieces
  }
}

extension Kernel {
  /// Unmaps a range on behalf of the simulator, outside any system call.
  /// - Throws: `.enomem` when a huge page over an edge of the range cannot be split; nothing has changed then.
  @inlinable public func discardMappings(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    try cutAtEdges(space, range)
    unmap(space, range)
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

extension Kernel {
  /// MADV_COLLAPSE: makes huge pages of every aligned huge range in `part`, whatever the policy and the background job's
  /// limits say. As on Linux, ranges that cannot be collapsed do not keep the others from it.
  /// - Throws: `.einval` where a huge page cannot be or nothing is mapped, `.enomem` without a free block.
  @inlinable
  func collapseNow(_ space: Space<Database>, _ area: VMA, _ part: VirtualRange) throws(Errno) {
    guard canHoldHugePages(area), !area.flags.contains(.noHugePages), !space.layout.disablesHugePages else {
      throw .einval
    }
    let first = area.range.start.advanced(by: hugeSize.mask).aligned(down: hugeSize)
    guard first < area.range.end, area.range.end.raw &- first.raw >= hugeSize.bytes else { throw .einval }
    let start = part.start.advanced(by: hugeSize.mask).aligned(down: hugeSize)
    let end = part.end.aligned(down: hugeSize)
    guard start <= end else { throw .einval }
    var failure: Errno?
    var page = VirtualRange(start, bytes: hugeSize.bytes)
    while page.end <= end {
      switch collapse(space, page, rights: area.rights, isForced: true) {
      case .done, .wasHuge: break
      case .wasVoid, .refused: failure = .einval
      case .unreachable: throw .einval
      case .noBlock, .noTable:
        timesOutOfMemory &+= 1
        throw .enomem
      }
      page = VirtualRange(page.end, bytes: hugeSize.bytes)
    }
    if let failure { throw failure }
  }
}

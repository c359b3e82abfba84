// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// What other calls may do to mappings of pooled huge pages: nothing that would cut a page.
extension Kernel {
  /// Refuses to cut an area of pooled pages inside a page (Linux: `hugetlb_vm_op_split`).
  @usableFromInline func checkHugeEdges(_ space: Space<Database>, _ range: VirtualRange) throws(Errno) {
    guard counters.value.usesHugeTLB else { return }
    for edge in [range.start, range.end] {
      guard let area = space.layout.areas.area(at: edge), area.flags.contains(.hugeTLB) else { continue }
      guard edge.isAligned(to: pooledSize(of: area)) else { throw .einval }
    }
  }

  /// What `mremap` refuses besides: such mappings neither grow nor leave their addresses behind.
  /// - Returns: the lengths in whole pages.
  func checkHugeRemap(
    _ area: VMA, _ request: SystemCallRequest, _ oldLength: UInt64, _ newLength: UInt64
  ) throws(Errno) -> (UInt64, UInt64) {
    let mask = pooledSize(of: area).mask
    let (old, new) = ((oldLength &+ mask) & ~mask, (newLength &+ mask) & ~mask)
    let isFixed = request[3] & 2 != 0
    guard request[0] & mask == 0, !isFixed || request[4] & mask == 0, new <= old, request[3] & 4 == 0 else {
      throw .einval
    }
    return (old, new)
  }

  /// `madvise` for the part of an area that lies in the range.
  @inlinable
  func advisePooled(
    _ advice: Advice, _ space: Space<Database>, _ area: VMA, _ part: VirtualRange
  ) throws(Errno) {
    switch advice {
    case .free, .cold, .pageOut, .collapse, .guardInstall, .guardRemove: throw .einval
    case .willNeed, .mergeable, .unmergeable: return
    case .dontNeed, .dontNeedLocked:
      let size = pooledSize(of: area)
      guard part.start.isAligned(to: size) else { throw .einval }
      // Programs may not know that pages are that large: what is cut at the end stays.
      zapPooled(space, area, VirtualRange(part.start, part.end.aligned(down: size)))
    case .remove: punchPooled(area, part)
    default:
      try checkHugeEdges(space, part)
      note(advice, space, part)
    }
  }

  @usableFromInline func punchPooled(_ area: VMA, _ part: VirtualRange) {
    let first = area.offset &+ (part.start.raw &- area.range.start.raw)
    punchHuge(area.file, first..<first + part.bytes)
  }

  /// Where to go on after the page at `address` of an area of pooled pages.
  @usableFromInline func nextPooledAddress(_ area: VMA, after address: VirtualAddress) -> VirtualAddress {
    VirtualRange(page: address, pooledSize(of: area)).end
  }

  /// Whether any mapping of pooled pages was ever made.
  @usableFromInline var usesHugeTLB: Bool { counters.value.usesHugeTLB }

  /// The parts of `range` whose areas note locks: those of pooled pages and of devices do not.
  func lockableParts(_ space: Space<Database>, _ range: VirtualRange) -> [VirtualRange] {
    guard counters.value.usesHugeTLB || counters.value.usesDevices else { return [range] }
    return space.layout.areas.overlapping(range).filter { $0.flags.isDisjoint(with: [.hugeTLB, .device]) }
      .map { $0.range.intersection(range) }
  }
}

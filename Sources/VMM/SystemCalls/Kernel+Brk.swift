// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Mutations
public import SimMemory

extension Kernel {
  /// `brk(address)`: moves the end of the heap. Never fails: a wish that cannot be granted returns the old end.
  ///
  /// The heap starts where the first answer that the circumstances know says, else at a fixed place.
  @inlinable func brk(_ process: Process<Database>, _ request: SystemCallRequest) throws(Errno) -> UInt64 {
    let space = process.space
    let start = breakStart(space, request)
    let (old, wish) = (space.layout.breakEnd, request.address(0))
    guard wish >= start, wish <= userEnd else { return old.raw }
    do { try commit(request) } catch { return old.raw }
    let (oldTop, newTop) = (pageEnd(old), pageEnd(wish))
    if newTop < oldTop {
      let cut = VirtualRange(newTop, oldTop)
      guard !space.layout.areas.overlapping(cut).isEmpty else { return old.raw }
      do {
        try checkUnsealed(space, cut)
        try cutAtEdges(space, cut)
      } catch { return old.raw }
      unmapForCall(space, cut)
    } else if newTop > oldTop {
      let growth = VirtualRange(oldTop, newTop)
      guard mayGrowHeap(process, growth) else { return old.raw }
      var flags: VMAFlags = [.mayWrite, .mayExecute, .heap, .accounted]
      flags.formUnion(space.layout.futureFlags)
      install(VMA(growth, rights: [.read, .write], flags: flags, offset: growth.start.raw), in: space)
      if flags.contains(.locked), !flags.contains(.lockedOnFault) { populate(space, growth) }
    }
    space.layout.breakEnd = wish
    return wish.raw
  }

  @inlinable func pageEnd(_ address: VirtualAddress) -> VirtualAddress {
    address.advanced(by: PageSize.base.mask).aligned(down: .base)
  }

  @usableFromInline
  func breakStart(_ space: Space<Database>, _ request: SystemCallRequest) -> VirtualAddress {
    if let start = space.layout.breakStart { return start }
    let start = request.circumstances.placement ?? VirtualAddress(0x5555_5580_0000)
    space.layout.breakStart = start
    space.layout.breakEnd = start
    return start
  }

  @usableFromInline func mayGrowHeap(_ process: Process<Database>, _ growth: VirtualRange) -> Bool {
    let layout = process.space.layout
    // As on Linux, a page stays free between the heap and what follows it.
    let top = growth.end.advanced(by: PageSize.base.bytes)
    guard layout.areas.overlapping(VirtualRange(growth.start, top)).isEmpty,
      layout.areas.isClearOfStack(top), layout.areas.areas.count < maximumAreas
    else { return false }
    let start = layout.breakStart ?? growth.start
    let isData = !Mutation.breakOverLimit.isPlanted
    guard growth.end.raw - start.raw <= layout.limits.data || !isData else { return false }
    do {
      try layout.checkRoom(for: growth.bytes, isData: isData)
      if layout.futureFlags.contains(.locked) {
        try layout.checkLockable(growth.bytes, process.privileges, else: .eagain)
      }
      try promise(growth.pages, process)
    } catch { return false }
    return true
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
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
      do { try checkUnsealed(space, VirtualRange(newTop, oldTop)) } catch { return old.raw }
      unmap(space, VirtualRange(newTop, oldTop))
    } else if newTop > oldTop {
      let growth = VirtualRange(oldTop, newTop)
      guard mayGrowHeap(space, growth) else { return old.raw }
      var flags: VMAFlags = [.mayWrite, .mayExecute, .heap]
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

  @usableFromInline func mayGrowHeap(_ space: Space<Database>, _ growth: VirtualRange) -> Bool {
    let areas = space.layout.areas
    guard areas.overlapping(growth).isEmpty, areas.areas.count < VMASet.maximumCount else { return false }
    do {
      try space.layout.checkRoom(for: growth.bytes)
      if space.layout.futureFlags.contains(.locked) {
        try space.layout.checkLockable(growth.bytes, else: .eagain)
      }
    } catch { return false }
    let start = space.layout.breakStart ?? growth.start
    return growth.end.raw - start.raw <= space.layout.limits.data
  }
}

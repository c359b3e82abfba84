// SPDX-License-Identifier: MIT
internal import Mutations
public import SimMemory

extension MMU {
  /// Forgets what TLBs and walk caches know about `range` of one address space; nil is the whole space.
  ///
  /// Any entry whose page shares an address with the range goes. Global entries stay (as with INVPCID types
  /// 0 and 1, Intel SDM vol. 3A §4.10.4.1); `invalidateEveryone` removes those.
  public func invalidate(spaceID: UInt16, range: VirtualRange?) {
    for level in [fetchTLB, dataTLB, secondTLB] { level.invalidate(spaceID: spaceID, range: range) }
    if range != nil, Mutation.walkCachesKept.isPlanted { return }
    walker.invalidate(spaceID: spaceID, range: range)
  }

  /// Forgets what TLBs and walk caches know about `range` in every address space, global entries included; nil is
  /// everything.
  public func invalidateEveryone(range: VirtualRange?) {
    for level in [fetchTLB, dataTLB, secondTLB] { level.invalidate(spaceID: nil, range: range) }
    walker.invalidateEveryone(range: range)
  }

  /// Empties TLBs and walk caches.
  public func flushAll() { invalidateEveryone(range: nil) }

  /// Removes every TLB entry that would answer for `address` in a space, global ones included: what a page
  /// fault does (SDM §4.10.4.1).
  @usableFromInline @inline(never) func forget(_ address: VirtualAddress, _ spaceID: UInt16) {
    guard Tag.covers(address) else { return }
    for level in [fetchTLB, dataTLB, secondTLB] { level.forget(address, spaceID) }
  }
}

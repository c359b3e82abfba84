// SPDX-License-Identifier: MIT
internal import EMTCore
internal import MMU
public import SimMemory
internal import VMM

extension Replay {
  /// Memory that is used although nothing mapped it belongs to the loader's image or the stack: maps its page, unless
  /// the trace unmapped that memory before.
  /// - Returns: whether the access can be tried again.
  @usableFromInline mutating func infer(_ address: VirtualAddress, _ kind: AccessKind) -> Bool {
    guard let space, !current.unmapped.contains(address), address < machine.kernel.userEnd else {
      return false
    }
    let isStack = current.awaitsStack && kind != .fetch
    if isStack { current.awaitsStack = false }
    let page = VirtualRange(page: address, .base)
    guard space.layout.areas.overlapping(page).isEmpty else { return false }
    addInferred(space, page, isStack: isStack)
    current.lastInferred = page
    return true
  }

  /// The real kernel accepted a call on `range`, so all of it was mapped.
  mutating func prove(_ range: VirtualRange) {
    guard let space, range.start < range.end, range.end <= machine.kernel.userEnd else { return }
    let whole = VirtualRange(
      range.start.aligned(down: .base), range.end.advanced(by: PageSize.base.mask).aligned(down: .base))
    for hole in space.layout.areas.holes(in: whole) {
      for part in current.unmapped.gaps(in: hole) { addInferred(space, part, isStack: false) }
    }
  }

  private mutating func addInferred(_ space: Space<Service.Database>, _ range: VirtualRange, isStack: Bool) {
    var flags: VMAFlags = [.mayWrite, .mayExecute, .inferred]
    let above = space.layout.areas.area(at: VirtualAddress(range.start.raw &- 1))
    if isStack || above?.flags.isSuperset(of: [.inferred, .growsDown]) == true { flags.insert(.growsDown) }
    tally.inferredPages += range.pages
    space.layout.areas.insert(
      VMA(range, rights: [.read, .write, .execute], flags: flags, offset: range.start.raw))
  }

  /// The trace says that `page` was not mapped although its use had seemed to prove it.
  mutating func retract(_ page: VirtualRange) throws(ReplayStop) {
    guard let space else { return }
    try discard(space, page)
    machine.deliverInvalidations()
    tally.inferredPages -= min(tally.inferredPages, page.pages)
    current.lastInferred = nil
  }

  /// Takes mappings out that the real program does not have. Splitting a huge page for that may need memory.
  func discard(_ space: Space<Service.Database>, _ range: VirtualRange) throws(ReplayStop) {
    do { try machine.kernel.discardMappings(space, range) } catch { throw .outOfMemory }
  }
}

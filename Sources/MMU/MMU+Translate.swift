// SPDX-License-Identifier: MIT
public import SimMemory

extension MMU {
  /// Translates the address of an access that stays within one page.
  ///
  /// Only the entry that was used last in the address's set is looked at in line.
  @inlinable @inline(__always) public func translate(
    _ address: VirtualAddress, _ access: AccessKind, _ root: Walker.Root, isUser: Bool
  ) -> MMUResult {
    var recorder = NoRecorder()
    return translate(address, access, root, isUser: isUser, recorder: &recorder)
  }

  /// `translate` with a recorder that sees the table words of a walk, if there is one.
  @inlinable @inline(__always) public func translate<Recorder: WalkRecorder>(
    _ address: VirtualAddress, _ access: AccessKind, _ root: Walker.Root, isUser: Bool,
    recorder: inout Recorder
  ) -> MMUResult {
    countLookup(access)
    var known = Translation(raw: 0)
    if Tag.covers(address) {
      let spaceID = Walker.spaceID(of: root)
      let required = Translation.required(access, isUser: isUser)
      let word = mostRecent(address, access, spaceID)
      if word & required == required {
        return .physical(PhysicalAddress(word & Translation.pageMask | address.raw & 0xFFF))
      }
      known = (access == .fetch ? fetchTLB : dataTLB).find(address, spaceID)
      if known.raw & required == required { return .physical(known.physical(address)) }
    }
    return search(address, access, root, isUser: isUser, known, recorder: &recorder)
  }

  /// Looks into the second level and the tables; `known` is what the first level has, which does not suffice.
  @inlinable @inline(never) func search<Recorder: WalkRecorder>(
    _ address: VirtualAddress, _ access: AccessKind, _ root: Walker.Root, isUser: Bool,
    _ known: Translation, recorder: inout Recorder
  ) -> MMUResult {
    let spaceID = Walker.spaceID(of: root)
    let first = access == .fetch ? fetchTLB : dataTLB
    var known = known
    if known.raw == 0, Tag.covers(address) {
      known = secondTLB.find(address, spaceID)
      let required = Translation.required(access, isUser: isUser)
      if known.raw & required == required {
        countSecondLevelHit(access)
        first.insert(known, address, spaceID)
        return .physical(known.physical(address))
      }
    }
    let walk = walker.walk(root, address, access, isUser: isUser, recorder: &recorder)
    countWalk(walk, access, isRewalk: known.raw != 0)
    // What the TLBs knew was too little or is out of date: no entry of any size may answer from now on.
    if known.raw != 0 || walk.fault != nil { forget(address, spaceID) }
    switch walk.outcome {
    case .translated(let translation):
      first.insert(translation, address, spaceID)
      secondTLB.insert(translation, address, spaceID)
      return .physical(translation.physical(address))
    case .fault(let reason):
      return .fault(TranslationFault(reason, access, isUser: isUser))
    }
  }
}

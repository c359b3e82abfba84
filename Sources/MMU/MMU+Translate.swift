// SPDX-License-Identifier: MIT
public import SimMemory

extension MMU {
  /// Translates the address of an access that stays within one page.
  ///
  /// The most recently used entries of the first-level TLB's sets for 4 KiB and 2 MiB are looked at in line.
  @inlinable @inline(__always) public func translate(
    _ address: VirtualAddress, _ access: AccessKind, _ root: Walker.Root, isUser: Bool
  ) -> MMUResult {
    countLookup(access)
    if Tag.covers(address) {
      let spaceID = Walker.spaceID(of: root)
      let required = Translation.required(access, isUser: isUser)
      let tlb = access == .fetch ? fetchTLB : dataTLB
      let small = tlb.base.mostRecent(
        Tag.of(address, shift: 12, sizeClass: 0, spaceID), number: address.raw &>> 12)
      if small & required == required {
        return .physical(PhysicalAddress(small & Translation.pageMask | address.raw & 0xFFF))
      }
      let large = tlb.twoMiB.mostRecent(
        Tag.of(address, shift: 21, sizeClass: 1, spaceID), number: address.raw &>> 21)
      if large & required == required {
        return .physical(PhysicalAddress(large & Translation.pageMask | address.raw & 0x1F_FFFF))
      }
    }
    var recorder = NoRecorder()
    return search(address, access, root, isUser: isUser, recorder: &recorder)
  }

  /// `translate` with a recorder that sees the table words of a walk, if there is one.
  @inlinable public func translate<Recorder: WalkRecorder>(
    _ address: VirtualAddress, _ access: AccessKind, _ root: Walker.Root, isUser: Bool,
    recorder: inout Recorder
  ) -> MMUResult {
    countLookup(access)
    return search(address, access, root, isUser: isUser, recorder: &recorder)
  }

  /// Looks into all of the first level, the second level, and the tables.
  @inlinable @inline(never) func search<Recorder: WalkRecorder>(
    _ address: VirtualAddress, _ access: AccessKind, _ root: Walker.Root, isUser: Bool,
    recorder: inout Recorder
  ) -> MMUResult {
    let spaceID = Walker.spaceID(of: root)
    let required = Translation.required(access, isUser: isUser)
    let first = access == .fetch ? fetchTLB : dataTLB
    var isKnown = false
    if Tag.covers(address) {
      let near = first.find(address, spaceID)
      if near.raw & required == required { return .physical(near.physical(address)) }
      isKnown = near.raw != 0
      if !isKnown {
        let far = secondTLB.find(address, spaceID)
        if far.raw & required == required {
          countSecondLevelHit(access)
          first.insert(far, address, spaceID)
          return .physical(far.physical(address))
        }
        isKnown = far.raw != 0
      }
    }
    let walk = walker.walk(root, address, access, isUser: isUser, recorder: &recorder)
    countWalk(walk, access, isRewalk: isKnown)
    // What the TLBs knew was too little or is out of date: no other size may answer for the page from now on.
    if isKnown || walk.fault != nil { forget(address, spaceID) }
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

// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

extension RadixWalker {
  /// Walks from the deepest table that the walk caches know, else from the root.
  @inlinable public func walk<Recorder: WalkRecorder>(
    _ root: RadixRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    guard RadixFormat.isCanonical(address) else { return WalkResult(.fault(.notMapped)) }
    let required = Translation.required(access, isUser: isUser)
    var visit = RadixVisit(root)
    for level in 1...3 {
      if caches.array(level).hasNoRoom { continue }
      visit.cost.ownCycles &+= caches.cyclesPerProbe
      let word = caches.find(address, level, root.spaceID)
      guard word != 0 else { continue }
      visit.enter(PhysicalAddress(word & Translation.pageMask), rights: word, level: level &- 1)
      break
    }
    let start = visit.level
    let remembered = visit.rights
    descend(&visit, root, address, required, isSilent: false, &recorder)
    if let reason = visit.cost.fault {
      caches.invalidate(spaceID: root.spaceID, range: VirtualRange(address, bytes: 1))
      // Rights from a walk cache may be older than the tables: only the tables may refuse.
      if start != RadixFormat.rootLevel, reason != .notMapped,
        Translation(raw: remembered).refusal(required & ~Translation.dirty) != nil
      {
        visit.enter(root.table, rights: RadixVisit.allRights, level: RadixFormat.rootLevel)
        descend(&visit, root, address, required, isSilent: false, &recorder)
        if visit.cost.fault != nil {
          caches.invalidate(spaceID: root.spaceID, range: VirtualRange(address, bytes: 1))
        }
      }
    }
    return visit.cost
  }

  /// Walks from the root and leaves no trace.
  @inlinable public func probe<Recorder: WalkRecorder>(
    _ root: RadixRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    guard RadixFormat.isCanonical(address) else { return WalkResult(.fault(.notMapped)) }
    var visit = RadixVisit(root)
    let required = Translation.required(access, isUser: isUser)
    descend(&visit, root, address, required, isSilent: true, &recorder)
    return visit.cost
  }

  /// Reads entries from where `visit` stands down to a leaf or a fault.
  @inlinable @inline(__always) func descend<Recorder: WalkRecorder>(
    _ visit: inout RadixVisit, _ root: RadixRoot, _ address: VirtualAddress, _ required: UInt64,
    isSilent: Bool, _ recorder: inout Recorder
  ) {
    while true {
      guard visit.table.raw < memory.bytes else { return visit.finish(.fault(.malformed)) }
      let place = visit.table.advanced(by: RadixFormat.entryOffset(address, visit.level))
      let raw = memory.loadAcquire(place)
      recorder.record(
        WalkStep(
          .node, index: UInt8(truncatingIfNeeded: visit.level), round: visit.cost.rounds, address: place,
          value: raw))
      visit.cost.references &+= 1
      visit.cost.rounds &+= 1
      guard raw & X86Entry.present != 0 else { return visit.finish(.fault(.notMapped)) }
      let rights = visit.rights & RadixVisit.rights(raw)
      if visit.level == 0 || raw & X86Entry.pageSize != 0 {
        guard let leaf = leaf(raw, visit.level) else { return visit.finish(.fault(.malformed)) }
        if let reason = Translation(raw: rights).refusal(required & ~Translation.dirty) {
          return visit.finish(.fault(reason))
        }
        let bits = required & Translation.dirty != 0 ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
        guard mark(raw, bits, place, isSilent, &visit.cost) else { continue }
        let dirty = (raw | bits) & X86Entry.dirty != 0 ? Translation.dirty : 0
        let global = raw & X86Entry.global != 0 ? Translation.global : 0
        let translation = Translation(
          page: leaf, size: RadixFormat.span(visit.level), rights: rights | dirty | global)
        return visit.finish(.translated(translation))
      }
      guard mark(raw, X86Entry.accessed, place, isSilent, &visit.cost) else { continue }
      let table = X86Entry(raw).table
      if !isSilent, table.raw < memory.bytes {
        caches.insert(table.raw | rights, address, visit.level, root.spaceID)
      }
      visit.enter(table, rights: rights, level: visit.level &- 1)
    }
  }

  /// Sets bits that an entry lacks, if it still is as it was read.
  /// - Returns: false when the entry changed and must be read again.
  @inlinable @inline(__always) func mark(
    _ raw: UInt64, _ bits: UInt64, _ place: PhysicalAddress, _ isSilent: Bool, _ cost: inout WalkResult
  ) -> Bool {
    if isSilent || raw & bits == bits { return true }
    guard memory.compareExchange(raw, raw | bits, at: place) == raw else { return false }
    cost.updates &+= 1
    return true
  }

  /// The physical page of a leaf entry, or nil when reserved bits are set or the page lies outside memory.
  ///
  /// Reserved are PS in a PML4 entry and the address bits below a huge page's size but for PAT (SDM §4.5); address
  /// bits beyond the end of memory stand for those above MAXPHYADDR.
  @inlinable @inline(__always) func leaf(_ raw: UInt64, _ level: Int) -> PhysicalAddress? {
    guard level <= RadixFormat.highestLeafLevel else { return nil }
    let size = RadixFormat.span(level)
    let reserved = X86Entry.addressMask & size.mask & ~X86Entry.attributeTableHuge
    let page = X86Entry(raw).physicalAddress(size)
    guard raw & reserved == 0, page.raw < memory.bytes, size.bytes <= memory.bytes &- page.raw else {
      return nil
    }
    return page
  }
}

/// Where a radix walk stands.
@frozen @usableFromInline struct RadixVisit {
  @usableFromInline var table: PhysicalAddress
  /// What the entries so far grant, in the bits of `Translation`.
  @usableFromInline var rights: UInt64
  @usableFromInline var level: Int
  @usableFromInline var cost = WalkResult(.fault(.notMapped))

  @inlinable static var allRights: UInt64 {
    Translation.present | Translation.writable | Translation.user | Translation.executable
  }

  @inlinable init(_ root: RadixRoot) {
    table = root.table
    rights = RadixVisit.allRights
    level = RadixFormat.rootLevel
  }

  /// What one entry grants: P, R/W and U/S are where `Translation` has them, execute-disable is turned round.
  @inlinable @inline(__always) static func rights(_ raw: UInt64) -> UInt64 {
    raw & 7 | (~raw &>> 63) &<< 3
  }

  @inlinable @inline(__always)
  mutating func enter(_ table: PhysicalAddress, rights: UInt64, level: Int) {
    self.table = table
    self.rights = rights & RadixVisit.allRights
    self.level = level
  }

  @inlinable @inline(__always) mutating func finish(_ outcome: WalkOutcome) { cost.outcome = outcome }
}

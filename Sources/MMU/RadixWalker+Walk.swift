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
    var level = 1
    while level <= RadixFormat.rootLevel {
      if !caches.array(level).hasNoRoom {
        visit.ownCycles &+= caches.cyclesPerProbe
        let word = caches.find(address, level, root.spaceID)
        if word != 0 {
          visit.enter(word, level: level &- 1)
          break
        }
      }
      level &+= 1
    }
    let start = visit
    let outcome = descend(&visit, address, required, root.spaceID, isSilent: false, &recorder)
    guard case .fault(let reason) = outcome else { return visit.result(outcome) }
    return refuse(start, visit, reason, root, address, access, isUser: isUser, recorder: &recorder)
  }

  /// The end of a walk that found a fault: drops the walk-cache entries of the address (SDM §4.10.4.1). Rights
  /// from a walk cache may be older than the tables, so only a walk from the root may refuse because of them.
  @inlinable @inline(never) func refuse<Recorder: WalkRecorder>(
    _ start: RadixVisit, _ visit: RadixVisit, _ reason: FaultReason, _ root: RadixRoot,
    _ address: VirtualAddress, _ access: AccessKind, isUser: Bool, recorder: inout Recorder
  ) -> WalkResult {
    let page = VirtualRange(page: address, .base)
    caches.invalidate(spaceID: root.spaceID, range: page)
    let required = Translation.required(access, isUser: isUser)
    guard start.level != RadixFormat.rootLevel, start.rights.refusal(required & ~Translation.dirty) != nil
    else {
      return visit.result(.fault(reason))
    }
    var again = RadixVisit(root)
    again.references = visit.references
    again.updates = visit.updates
    again.ownCycles = visit.ownCycles
    let outcome = descend(&again, address, required, root.spaceID, isSilent: false, &recorder)
    if case .fault = outcome { caches.invalidate(spaceID: root.spaceID, range: page) }
    return again.result(outcome)
  }

  /// Walks from the root and leaves no trace.
  @inlinable public func probe<Recorder: WalkRecorder>(
    _ root: RadixRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    guard RadixFormat.isCanonical(address) else { return WalkResult(.fault(.notMapped)) }
    var visit = RadixVisit(root)
    let required = Translation.required(access, isUser: isUser)
    let outcome = descend(&visit, address, required, root.spaceID, isSilent: true, &recorder)
    return visit.result(outcome)
  }

  /// Reads entries from where `visit` stands down to a leaf or a fault.
  @inlinable @inline(__always) func descend<Recorder: WalkRecorder>(
    _ visit: inout RadixVisit, _ address: VirtualAddress, _ required: UInt64, _ spaceID: UInt16,
    isSilent: Bool, _ recorder: inout Recorder
  ) -> WalkOutcome {
    while true {
      guard visit.table < memory.bytes else { return .fault(.malformed) }
      let place = PhysicalAddress(visit.table &+ RadixFormat.entryOffset(address, visit.level))
      let raw = memory.loadAcquire(place)
      recorder.record(
        WalkStep(
          .node, index: UInt8(truncatingIfNeeded: visit.level), round: visit.references, address: place,
          value: raw))
      visit.references &+= 1
      guard raw & X86Entry.present != 0 else { return .fault(.notMapped) }
      if visit.level == 0 || raw & X86Entry.pageSize != 0 {
        let size = RadixFormat.span(visit.level)
        guard isWellFormed(raw, visit.level) else { return .fault(.malformed) }
        let rights = visit.rights(with: raw)
        if required & ~(rights.raw | Translation.dirty) != 0 {
          return .fault(rights.refusal(required & ~Translation.dirty) ?? .malformed)
        }
        let bits = required & Translation.dirty != 0 ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
        guard mark(raw, bits, place, isSilent, &visit) else { continue }
        let dirty = (raw | bits) & X86Entry.dirty != 0 ? Translation.dirty : 0
        let global = raw & X86Entry.global != 0 ? Translation.global : 0
        return .translated(
          Translation(
            page: X86Entry(raw).physicalAddress(size), size: size, rights: rights.raw | dirty | global))
      }
      guard mark(raw, X86Entry.accessed, place, isSilent, &visit) else { continue }
      let level = visit.level
      visit.enter(raw, level: level &- 1)
      if !isSilent, !caches.array(level).hasNoRoom, visit.table < memory.bytes {
        caches.insert(visit.entry, address, level, spaceID)
      }
    }
  }

  /// Sets bits that an entry lacks, if it still is as it was read.
  /// - Returns: false when the entry changed and must be read again.
  @inlinable @inline(__always) func mark(
    _ raw: UInt64, _ bits: UInt64, _ place: PhysicalAddress, _ isSilent: Bool, _ visit: inout RadixVisit
  ) -> Bool {
    if isSilent || raw & bits == bits { return true }
    guard memory.compareExchange(raw, raw | bits, at: place) == raw else { return false }
    visit.updates &+= 1
    return true
  }

  /// Whether a leaf entry has no reserved bits set and its page lies in memory.
  ///
  /// Reserved are PS in a PML4 entry and the address bits below a huge page's size but for PAT (SDM §4.5); address
  /// bits beyond the end of memory stand for those above MAXPHYADDR.
  @inlinable @inline(__always) func isWellFormed(_ raw: UInt64, _ level: Int) -> Bool {
    guard level <= RadixFormat.highestLeafLevel else { return false }
    let size = RadixFormat.span(level)
    let page = X86Entry(raw).physicalAddress(size).raw
    return raw & X86Entry.addressMask & size.mask & ~X86Entry.attributeTableHuge == 0
      && page < memory.bytes && size.bytes <= memory.bytes &- page
  }
}

/// Where a radix walk stands and what it took.
@frozen @usableFromInline struct RadixVisit {
  /// The table, in bytes.
  @usableFromInline var table: UInt64
  /// The level of the table's entries.
  @usableFromInline var level: Int
  /// What all entries so far have set: P, R/W and U/S are read from it.
  @usableFromInline var common: UInt64 = ~0
  /// What any entry so far has set: XD is read from it.
  @usableFromInline var any: UInt64 = 0
  @usableFromInline var references: UInt16 = 0
  @usableFromInline var updates: UInt16 = 0
  @usableFromInline var ownCycles: UInt16 = 0

  @inlinable init(_ root: RadixRoot) {
    table = root.table.raw
    level = RadixFormat.rootLevel
  }

  /// Steps through an entry that points to a table.
  @inlinable @inline(__always) mutating func enter(_ raw: UInt64, level: Int) {
    table = raw & X86Entry.addressMask
    common &= raw
    any |= raw
    self.level = level
  }

  /// One entry that stands for all entries so far.
  @inlinable var entry: UInt64 { table | common & 7 | any & X86Entry.noExecute }

  /// What the entries so far and `raw` grant together, without a page.
  @inlinable @inline(__always) func rights(with raw: UInt64) -> Translation {
    Translation(raw: common & raw & 7 | (~(any | raw) &>> 63) &<< 3)
  }

  /// What the entries so far grant.
  @inlinable var rights: Translation { rights(with: 7) }

  /// Every reference of a radix walk waits for the one before.
  @inlinable @inline(__always) func result(_ outcome: WalkOutcome) -> WalkResult {
    WalkResult(outcome, references: references, rounds: references, updates: updates, ownCycles: ownCycles)
  }
}

// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

extension RadixTreeWalker {
  /// Walks from the deepest table that the walk caches know, else from the root.
  @inlinable public func walk<Recorder: WalkRecorder>(
    _ root: RadixTreeRoot<Shape>, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    guard Shape.isCanonical(address) else { return WalkResult(.fault(.notMapped)) }
    let required = Translation.required(access, isUser: isUser)
    var visit = RadixVisit(root, address)
    var level = 1
    while level <= Shape.rootLevel {
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
    _ start: RadixVisit<Shape>, _ visit: RadixVisit<Shape>, _ reason: FaultReason,
    _ root: RadixTreeRoot<Shape>,
    _ address: VirtualAddress, _ access: AccessKind, isUser: Bool, recorder: inout Recorder
  ) -> WalkResult {
    let page = VirtualRange(page: address, .base)
    caches.invalidate(spaceID: root.spaceID, range: page)
    let required = Translation.required(access, isUser: isUser)
    guard start.isFromCache, start.rights.refusal(required & ~Translation.dirty) != nil
    else {
      return visit.result(.fault(reason))
    }
    var again = RadixVisit(root, address)
    again.references = visit.references
    again.updates = visit.updates
    again.ownCycles = visit.ownCycles
    let outcome = descend(&again, address, required, root.spaceID, isSilent: false, &recorder)
    if case .fault = outcome { caches.invalidate(spaceID: root.spaceID, range: page) }
    return again.result(outcome)
  }

  /// Walks from the root and leaves no trace.
  @inlinable public func probe<Recorder: WalkRecorder>(
    _ root: RadixTreeRoot<Shape>, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    guard Shape.isCanonical(address) else { return WalkResult(.fault(.notMapped)) }
    var visit = RadixVisit(root, address)
    let required = Translation.required(access, isUser: isUser)
    let outcome = descend(&visit, address, required, root.spaceID, isSilent: true, &recorder)
    return visit.result(outcome)
  }

  /// Reads entries from where `visit` stands down to a leaf or a fault.
  @inlinable @inline(__always) func descend<Recorder: WalkRecorder>(
    _ visit: inout RadixVisit<Shape>, _ address: VirtualAddress, _ required: UInt64, _ spaceID: UInt16,
    isSilent: Bool, _ recorder: inout Recorder
  ) -> WalkOutcome {
    while true {
      let isFlattened = Shape.mayFlatten(visit.level) && visit.table & FPTFormat.rootMark != 0
      guard visit.table < memory.bytes,
        !isFlattened || visit.table & PageSize.twoMiB.mask == FPTFormat.rootMark
      else { return .fault(.malformed) }
      var level = isFlattened ? visit.level &- 1 : visit.level
      var place = PhysicalAddress(
        isFlattened
          ? visit.flattenedEntry(address) : visit.table &+ Shape.entryOffset(address, visit.level))
      var raw = read(place, level, &visit, &recorder)
      if isFlattened, level == 0 {
        let first = PhysicalAddress(place.raw & ~PageSize.base.mask)
        if X86Entry(raw).isNone, place != first {
          raw = read(first, 1, &visit, &recorder)
          guard raw & FPTFormat.mark != 0 else { return .fault(.notMapped) }
          place = first
        }
        if raw & FPTFormat.mark != 0 { level = 1 }
      }
      guard raw & X86Entry.present != 0 else { return .fault(.notMapped) }
      if level == 0 || raw & X86Entry.pageSize != 0 {
        let size = Shape.span(level)
        guard isWellFormed(raw, level) else { return .fault(.malformed) }
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
      visit.enter(raw, level: level &- 1)
      if !isSilent, !caches.array(level).hasNoRoom, visit.table < memory.bytes {
        caches.insert(visit.entry, address, level, spaceID)
      }
    }
  }

  @inlinable @inline(__always) func read<Recorder: WalkRecorder>(
    _ place: PhysicalAddress, _ level: Int, _ visit: inout RadixVisit<Shape>, _ recorder: inout Recorder
  ) -> UInt64 {
    let raw = memory.loadAcquire(place)
    recorder.record(
      WalkStep(
        .node, index: UInt8(truncatingIfNeeded: level), round: visit.references, address: place, value: raw))
    visit.references &+= 1
    return raw
  }

  /// Sets bits that an entry lacks, if it still is as it was read.
  /// - Returns: false when the entry changed and must be read again.
  @inlinable @inline(__always) func mark(
    _ raw: UInt64, _ bits: UInt64, _ place: PhysicalAddress, _ isSilent: Bool,
    _ visit: inout RadixVisit<Shape>
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
    guard level <= Shape.highestLeafLevel else { return false }
    let size = Shape.span(level)
    let page = X86Entry(raw).physicalAddress(size).raw
    return raw & X86Entry.addressMask & size.mask & ~X86Entry.attributeTableHuge == 0
      && page < memory.bytes && size.bytes <= memory.bytes &- page
  }
}

// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ECPTDatabase {
  /// One hash, at most three probes, and six more where a stash is in use.
  @inlinable @inline(__always)
  public func locate(_ address: VirtualAddress, _ table: Int) -> PhysicalAddress? {
    slot(of: ECPTFormat.number(address, table), table)?
      .advanced(by: ClusterFormat.entryOffset(address, table))
  }

  /// Basic 5.
  @inlinable public func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    if wasKnown(object), let old = replace(object) { return replaced(object, old) }
    return try insert(object)
  }

  /// Stores into an entry whose place is known still, nil when it is not. Headers know of the cluster already.
  @inlinable @inline(__always) func replace(_ object: X86Object) -> UInt64? {
    shared { () -> UInt64? in
      guard object.generation == context.generation else { return nil }
      let old = X86Entry(store(object.entry.mapping, at: PhysicalAddress(object.location))).mapping
      if old == 0 { tally(summary(of: object.start), object.start, 0, 1) }
      return old
    }
  }

  /// Stores a mapping into an entry of a cluster, and counts it if it is new. The structure lock is held.
  /// - Returns: the entry before.
  @inlinable @inline(__always) func store(_ mapping: UInt64, at place: PhysicalAddress) -> UInt64 {
    if place.raw & 56 == ClusterFormat.markOffset {
      return change(place) { old in
        let changed = old & X86Entry.schemeMask | mapping
        return X86Entry(old).isNone ? changed &+ ECPTFormat.one : changed
      }
    }
    // The tag stays while the structure lock is held; only the mark's scheme bits, the count, are others' as well.
    let old = memory.exchange(memory.loadRelaxed(place) & X86Entry.schemeMask | mapping, at: place)
    if X86Entry(old).isNone { _ = memory.fetchAdd(ECPTFormat.one, at: PhysicalAddress(place.raw | 56)) }
    return old
  }

  /// Empties an entry of a cluster. The slot of an empty cluster is free; its tag stays. The structure lock is held.
  /// - Returns: the entry before.
  @inlinable func erase(at place: PhysicalAddress, _ table: Int) -> UInt64 {
    let isMark = place.raw & 56 == ClusterFormat.markOffset
    let old = change(place) { old in
      let changed = old & X86Entry.schemeMask
      return isMark && !X86Entry(old).isNone ? changed &- ECPTFormat.one : changed
    }
    guard !X86Entry(old).isNone else { return old }
    let mark = isMark ? old : change(PhysicalAddress(place.raw | 56)) { $0 &- ECPTFormat.one }
    if mark & ECPTFormat.bits == ECPTFormat.one {
      context.meter.count(.groupFreed)
      add(-1, to: ECPTWord.live(table))
      context.advanceGeneration()
    }
    return old
  }
}

// SPDX-License-Identifier: MIT
public import EntryFormats
public import Mutations
public import SimMemory

extension HashedWalker {
  /// Searches, and again while clusters move or the entry changes under its hands.
  @inlinable @inline(__always) func translate<Recorder: WalkRecorder>(
    _ root: HashedRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool, isSilent: Bool,
    _ recorder: inout Recorder
  ) -> WalkResult {
    var cost = WalkResult(.fault(.notMapped))
    guard RadixFormat.isCanonical(address) else { return cost }
    let required = Translation.required(access, isUser: isUser)
    let base = address.raw &>> 63 == 0 ? root.user : root.kernel
    while true {
      let version = memory.loadAcquire(base)
      note(.descriptor, 0, base, version, &cost, &recorder)
      let leaf = find(base, address, &cost, &recorder)
      // What was found or missed while clusters moved means nothing.
      guard memory.loadAcquire(base) == version else { continue }
      guard leaf.place.raw != 0 else { return cost }
      let raw = leaf.raw
      guard let page = page(raw, leaf.size) else {
        cost.outcome = .fault(.malformed)
        return cost
      }
      let rights = raw & 7 | (~raw &>> 63) &<< 3
      if let reason = Translation(raw: rights).refusal(required & ~Translation.dirty) {
        cost.outcome = .fault(reason)
        return cost
      }
      let bits = required & Translation.dirty != 0 ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
      if !isSilent, raw & bits != bits {
        guard memory.compareExchange(raw, raw | bits, at: leaf.place) == raw else { continue }
        cost.updates &+= 1
      }
      let dirty = (raw | bits) & X86Entry.dirty != 0 ? Translation.dirty : 0
      let global = raw & X86Entry.global != 0 ? Translation.global : 0
      cost.outcome = .translated(Translation(page: page, size: leaf.size, rights: rights | dirty | global))
      return cost
    }
  }

  /// The present entry for `address`, smallest page size first; its place is zero when there is none.
  @inlinable func find<Recorder: WalkRecorder>(
    _ base: PhysicalAddress, _ address: VirtualAddress, _ cost: inout WalkResult,
    _ recorder: inout Recorder
  ) -> HashedLeaf {
    for table in 0..<ClusterFormat.tables {
      let current = HashedArray(word: memory.loadAcquire(base.advanced(by: HashedDescriptor.current(table))))
      guard current.isOccupied else { continue }
      let next = HashedArray(word: memory.loadAcquire(base.advanced(by: HashedDescriptor.next(table))))
      let number = ClusterFormat.number(address, table)
      let hash = HashedFormat.hash(number)
      cost.ownCycles &+= cyclesPerHash
      var arrays = (current, next)
      if next.exists {
        let word = base.advanced(by: HashedDescriptor.moved(table))
        let moved = memory.loadAcquire(word)
        note(.descriptor, table, word, moved, &cost, &recorder)
        if hash & (current.clusters &- 1) < moved { arrays = (next, current) }
      }
      let offset = ClusterFormat.entryOffset(address, table)
      var leaf = search(arrays.0, number, hash, offset, &cost, &recorder)
      if leaf.place.raw == 0, arrays.1.exists, !Mutation.walkerSearchesOneArray.isPlanted {
        leaf = search(arrays.1, number, hash, offset, &cost, &recorder)
      }
      if leaf.raw & X86Entry.present != 0 {
        return HashedLeaf(leaf.place, leaf.raw, ClusterFormat.pageSize(table))
      }
    }
    return HashedLeaf(PhysicalAddress(0), 0, .base)
  }

  /// Probes one array from the home slot of `hash` up to the cluster or a void slot.
  @inlinable func search<Recorder: WalkRecorder>(
    _ array: HashedArray, _ number: UInt64, _ hash: UInt64, _ offset: UInt64, _ cost: inout WalkResult,
    _ recorder: inout Recorder
  ) -> HashedLeaf {
    var index = hash & (array.clusters &- 1)
    for turn in 0..<array.clusters {
      let slot = array.base.advanced(by: index &* ClusterFormat.bytes)
      // An array that was freed while this walk searched it may name anything; the version will tell.
      guard slot.raw <= memory.bytes &- ClusterFormat.bytes else { break }
      let mark = memory.loadAcquire(slot.advanced(by: ClusterFormat.markOffset))
      note(.slot, Int(truncatingIfNeeded: turn), slot, mark, &cost, &recorder)
      if mark & X86Entry.schemeMask == 0 { break }
      if mark & HashedFormat.live != 0, tag(slot) == number {
        let place = slot.advanced(by: offset)
        return HashedLeaf(place, memory.loadAcquire(place), .base)
      }
      index = (index &+ 1) & (array.clusters &- 1)
    }
    return HashedLeaf(PhysicalAddress(0), 0, .base)
  }

  /// Puts the tag of a cluster together: seven bits from each of the first five entries.
  @inlinable @inline(__always) func tag(_ slot: PhysicalAddress) -> UInt64 {
    var tag: UInt64 = 0
    for entry in 0..<UInt64(5) {
      let raw = memory.loadAcquire(slot.advanced(by: entry &* 8))
      tag |= (raw &>> 52 & 0x7F) &<< (entry &* 7)
    }
    return tag
  }

  /// The physical page of an entry, or nil when it has reserved bits set or lies outside memory.
  @inlinable @inline(__always) func page(_ raw: UInt64, _ size: PageSize) -> PhysicalAddress? {
    let page = X86Entry(raw).physicalAddress(size)
    let reserved = X86Entry.addressMask & size.mask & ~X86Entry.attributeTableHuge
    guard raw & reserved == 0, page.raw < memory.bytes, size.bytes <= memory.bytes &- page.raw else {
      return nil
    }
    return page
  }

  @inlinable @inline(__always) func note<Recorder: WalkRecorder>(
    _ kind: WalkStep.Kind, _ index: Int, _ address: PhysicalAddress, _ value: UInt64,
    _ cost: inout WalkResult, _ recorder: inout Recorder
  ) {
    recorder.record(
      WalkStep(
        kind, index: UInt8(truncatingIfNeeded: index), round: cost.rounds, address: address, value: value))
    cost.references &+= 1
    cost.rounds &+= 1
  }
}

/// An entry that a search of one table found.
@frozen @usableFromInline struct HashedLeaf {
  @usableFromInline let place: PhysicalAddress
  @usableFromInline let raw: UInt64
  @usableFromInline let size: PageSize

  @inlinable init(_ place: PhysicalAddress, _ raw: UInt64, _ size: PageSize) {
    self.place = place
    self.raw = raw
    self.size = size
  }
}

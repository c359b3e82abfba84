// SPDX-License-Identifier: MIT
public import EntryFormats
public import Mutations
public import SimMemory

extension ECPTWalker {
  /// Searches, and again while clusters move or the entry changes under its hands.
  @inlinable @inline(__always) func translate<Recorder: WalkRecorder>(
    _ root: ECPTRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool, isSilent: Bool,
    _ recorder: inout Recorder
  ) -> WalkResult {
    var search = ECPTSearch(root, address)
    let isUpper = address.raw &>> 63 != 0
    guard RadixFormat.isCanonical(address), !(isUpper && isUser && root.isIsolated) else {
      return search.cost
    }
    let required = Translation.required(access, isUser: isUser)
    while true {
      let version = memory.loadAcquire(search.image)
      find(&search, isSilent: isSilent, &recorder)
      // What was found or missed while clusters moved means nothing.
      guard memory.loadAcquire(search.image) == version else { continue }
      guard search.place.raw != 0 else { return search.cost }
      let raw = search.raw
      guard !search.isTorn, let page = page(raw, search.size) else {
        search.cost.outcome = .fault(.malformed)
        return search.cost
      }
      let rights = raw & 7 | (~raw &>> 63) &<< 3
      if let reason = Translation(raw: rights).refusal(required & ~Translation.dirty) {
        search.cost.outcome = .fault(reason)
        return search.cost
      }
      let bits = required & Translation.dirty != 0 ? X86Entry.accessed | X86Entry.dirty : X86Entry.accessed
      if !isSilent, raw & bits != bits {
        guard memory.compareExchange(raw, raw | bits, at: search.place) == raw else { continue }
        search.cost.updates &+= 1
      }
      let dirty = (raw | bits) & X86Entry.dirty != 0 ? Translation.dirty : 0
      let global = raw & X86Entry.global != 0 ? Translation.global : 0
      search.cost.outcome = .translated(
        Translation(page: page, size: search.size, rights: rights | dirty | global))
      return search.cost
    }
  }

  /// One search: the ways that the walk caches name, then the others.
  @inlinable func find<Recorder: WalkRecorder>(
    _ search: inout ECPTSearch, isSilent: Bool, _ recorder: inout Recorder
  ) {
    search.place = PhysicalAddress(0)
    search.isTorn = false
    search.hash =
      HashFunction(rawValue: UInt8(truncatingIfNeeded: word(search, ECPTRegisters.hash)))
      ?? .murmurFinaliser
    search.cost.ownCycles &+= ownCycles
    var ways = ECPTSearch.allWays
    if !isSilent {
      let epoch = word(search, ECPTRegisters.epoch)
      if copy.update(search.image, epoch: epoch, half: Int(search.address.raw &>> 63)) {
        for line in 0..<ECPTRegisters.lines {
          let place = search.image.advanced(by: line &<< 6)
          note(.descriptor, Int(line), place, memory.loadAcquire(place), &search, &recorder)
        }
        search.cost.rounds &+= 1
      }
      ways = consult(&search, &recorder)
    }
    read(ways, &search, &recorder)
    if search.place.raw == 0, ways != ECPTSearch.allWays {
      fetch(3, pmd, &search, &recorder)
      fetch(4, pud, &search, &recorder)
      read(ECPTSearch.allWays & ~ways, &search, &recorder)
    }
  }

  /// The ways, as bits, that the walk caches name; rows that they miss are fetched.
  @inlinable @inline(__always) func consult<Recorder: WalkRecorder>(
    _ search: inout ECPTSearch, _ recorder: inout Recorder
  ) -> UInt64 {
    let address = search.address
    let region = pud.header(search.key(4), section: address.raw &>> 33 & 63)
    var ways: UInt64 = 0
    if let region {
      if region & ECPTRow.giant != 0 { ways |= ECPTSearch.way(region, 2) }
      if region & ECPTRow.huge == 0 {
        // Only base pages: the other cache is not asked.
        if region & ECPTRow.base != 0 { ways |= 7 }
        return ways == 0 ? ECPTSearch.allWays : ways
      }
    } else {
      fetch(4, pud, &search, &recorder)
    }
    if let section = pmd.header(search.key(3), section: address.raw &>> 24 & 63) {
      if section & ECPTRow.base != 0 { ways |= 7 }
      if section & ECPTRow.huge != 0 { ways |= ECPTSearch.way(section, 1) }
      return ways == 0 ? ECPTSearch.allWays : ways
    }
    fetch(3, pmd, &search, &recorder)
    guard let region else { return ECPTSearch.allWays }
    return ways | 7 &<< 3 | (region & ECPTRow.base != 0 ? 7 : 0)
  }

  /// Looks for a row in its walk table, side by side with the ways of this round, and keeps it.
  @usableFromInline @inline(never) func fetch<Recorder: WalkRecorder>(
    _ table: Int, _ cache: CuckooWalkCache, _ search: inout ECPTSearch, _ recorder: inout Recorder
  ) {
    let number = ECPTFormat.number(search.address, table)
    let hash = search.hash.hash(number)
    for way in 0..<ECPTFormat.ways {
      guard let row = slot(table, way, hash, search) else { continue }
      let first = memory.loadAcquire(row)
      note(.summary, table &* 3 &+ way, row, first, &search, &recorder)
      if memory.loadAcquire(row.advanced(by: ClusterFormat.markOffset)) & ECPTRow.countMask != 0,
        ECPTRow.number(first) == number
      {
        return cache.insert(search.key(table), row, memory)
      }
    }
  }

  /// Reads the slots of `ways` in one round, and those of stashes in use.
  @inlinable @inline(__always) func read<Recorder: WalkRecorder>(
    _ ways: UInt64, _ search: inout ECPTSearch, _ recorder: inout Recorder
  ) {
    for table in 0..<ClusterFormat.tables where ways &>> UInt64(table &* 3) & 7 != 0 {
      let number = ECPTFormat.number(search.address, table)
      let hash = search.hash.hash(number)
      for way in 0..<ECPTFormat.ways where ways &>> UInt64(table &* 3 &+ way) & 1 != 0 {
        guard let slot = slot(table, way, hash, search) else { continue }
        look(slot, number, table, way, &search, &recorder)
      }
      if word(search, ECPTRegisters.stash) &>> UInt64(table) & 1 != 0 {
        for index in 0..<ECPTRegisters.stashSlots {
          look(
            search.image.advanced(by: ECPTRegisters.stash(table, index)), number, table, ECPTFormat.ways,
            &search, &recorder)
        }
      }
    }
    search.cost.rounds &+= 1
  }

  /// The slot of a way for a hash; nil for an array that a resize took away while this walk looks.
  @inlinable @inline(__always)
  func slot(_ table: Int, _ way: Int, _ hash: UInt64, _ search: ECPTSearch) -> PhysicalAddress? {
    var register = ECPTWay(word: word(search, ECPTRegisters.current(table, way)))
    let turned = ECPTFormat.turn(hash, way)
    if register.hasSuccessor {
      let next = ECPTWay(word: word(search, ECPTRegisters.next(table, way)))
      let smaller = Swift.min(register.clusters, next.clusters)
      let reach: UInt64 = Mutation.walkerPointerOffByOne.isPlanted ? 1 : 0
      let migrated = word(search, ECPTRegisters.pointer(table, way)) &+ reach
      if turned & (smaller &- 1) < migrated { register = next }
    }
    let slot = register.slot(turned)
    return slot.raw <= memory.bytes &- ClusterFormat.bytes ? slot : nil
  }

  /// Compares one cluster. A second copy is all right if it says the same.
  @inlinable @inline(__always) func look<Recorder: WalkRecorder>(
    _ slot: PhysicalAddress, _ number: UInt64, _ table: Int, _ way: Int, _ search: inout ECPTSearch,
    _ recorder: inout Recorder
  ) {
    let place = slot.advanced(by: ClusterFormat.entryOffset(search.address, table))
    let raw = memory.loadAcquire(place)
    note(.slot, table &* 3 &+ way, slot, raw, &search, &recorder)
    let mark = memory.loadAcquire(slot.advanced(by: ClusterFormat.markOffset))
    guard raw & X86Entry.present != 0, mark & ECPTFormat.bits != 0, tag(slot) == number else { return }
    search.note(raw, place, ClusterFormat.pageSize(table))
  }

  /// Puts the tag of a cluster together: five bits from each of the first seven entries.
  @inlinable @inline(__always) func tag(_ slot: PhysicalAddress) -> UInt64 {
    var tag: UInt64 = 0
    for entry in 0..<UInt64(7) {
      tag |= (memory.loadAcquire(slot.advanced(by: entry &* 8)) &>> 52 & 0x1F) &<< (entry &* 5)
    }
    return tag
  }

  @inlinable @inline(__always) func word(_ search: ECPTSearch, _ offset: UInt64) -> UInt64 {
    memory.loadAcquire(search.image.advanced(by: offset))
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

  /// Counts a reference of the round that is under way.
  @inlinable @inline(__always) func note<Recorder: WalkRecorder>(
    _ kind: WalkStep.Kind, _ index: Int, _ address: PhysicalAddress, _ value: UInt64,
    _ search: inout ECPTSearch, _ recorder: inout Recorder
  ) {
    recorder.record(
      WalkStep(
        kind, index: UInt8(truncatingIfNeeded: index), round: search.cost.rounds, address: address,
        value: value))
    search.cost.references &+= 1
  }
}

/// Where an elastic-cuckoo walk stands.
@frozen @usableFromInline struct ECPTSearch {
  @usableFromInline let address: VirtualAddress
  /// The register image.
  @usableFromInline let image: PhysicalAddress
  @usableFromInline let spaceID: UInt16
  @usableFromInline var hash = HashFunction.murmurFinaliser
  @usableFromInline var cost = WalkResult(.fault(.notMapped))
  /// The entry that was found; zero: none.
  @usableFromInline var place = PhysicalAddress(0)
  @usableFromInline var raw: UInt64 = 0
  @usableFromInline var size = PageSize.base
  /// Two entries were found that disagree.
  @usableFromInline var isTorn = false

  @inlinable init(_ root: ECPTRoot, _ address: VirtualAddress) {
    self.address = address
    let isUpper = address.raw &>> 63 != 0
    image = isUpper ? root.kernel : root.user
    spaceID = isUpper ? 0 : root.spaceID
  }

  /// Three ways of three tables.
  @inlinable static var allWays: UInt64 { 0x1FF }

  /// The way of large pages that a header names; all three for one in the stash.
  @inlinable static func way(_ header: UInt64, _ table: UInt64) -> UInt64 {
    let way = header &>> ECPTRow.wayShift & 3
    return (way == 3 ? 7 : 1 &<< way) &<< (table &* 3)
  }

  /// The key of the row of a walk table.
  @inlinable func key(_ table: Int) -> UInt64 {
    CuckooWalkCache.key(ECPTFormat.number(address, table), spaceID)
  }

  /// Takes a found entry; of two that say the same, the one of the larger page.
  @inlinable mutating func note(_ raw: UInt64, _ place: PhysicalAddress, _ size: PageSize) {
    if self.place.raw != 0 {
      let ignored =
        X86Entry.accessed | X86Entry.dirty | X86Entry.schemeMask | X86Entry.addressMask | X86Entry.pageSize
      let (here, there) = (X86Entry(raw).physicalAddress(size), X86Entry(self.raw).physicalAddress(self.size))
      let isSamePlace = here.raw | address.raw & size.mask == there.raw | address.raw & self.size.mask
      if (raw ^ self.raw) & ~ignored != 0 || !isSamePlace { isTorn = true }
      if size < self.size { return }
    }
    self.raw = raw
    self.place = place
    self.size = size
  }
}

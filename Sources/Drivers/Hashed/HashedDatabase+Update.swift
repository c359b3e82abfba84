// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension HashedDatabase {
  /// Basic 5. No search right after a find that met a cluster, else one; two for the first page of a cluster.
  @inlinable public func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    let table = try admit(object)
    let replaced = shared { () -> UInt64? in
      guard let place = location(of: object, table) else { return nil }
      // Where a cluster of base pages is, no larger page is; beside a huge page there may be smaller ones.
      if table != 0, X86Entry(memory.loadRelaxed(place)).isNone { return nil }
      return store(object, table, at: place)
    }
    let raw = if let replaced { replaced } else { try insert(object, table) }
    var old = object
    old.entry = X86Entry(X86Entry(raw).mapping)
    if word(HashedWord.resizing) != 0 { advanceResizing() }
    return Change(old: old)
  }

  /// Basic 6. The slot of a cluster that holds nothing any more is free at once.
  @inlinable public func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard owns(object.start) else { throw .notMapped }
    let table = try place(for: object)
    var isLast = false
    let removed = shared { () -> UInt64? in
      guard let place = location(of: object, table) else { return nil }
      let bits = HashedFormat.schemeBits(HashedFormat.number(object.start, table), at: place.raw & 63)
      let raw = memory.exchange(bits, at: place)
      context.meter.count(.entryWrite)
      isLast = isEmpty(PhysicalAddress(place.raw & ~63))
      return raw
    }
    guard let removed, !X86Entry(removed).isNone else {
      throw otherSize(object) ?? .notMapped
    }
    if isLast { freeIfEmpty(object.start, table) }
    if word(HashedWord.resizing) != 0 { advanceResizing() }
    var old = object
    old.entry = X86Entry(X86Entry(removed).mapping)
    return Change(old: old)
  }

  /// The table for `object`, if its place is one that can be mapped.
  @inlinable func place(for object: X86Object) throws(TranslationError) -> Int {
    guard let table = HashedFormat.table(for: object.size) else { throw .unsupportedSize(object.size) }
    guard owns(object.start) else { throw .badAddress(object.start) }
    return table
  }

  @inlinable func admit(_ object: X86Object) throws(TranslationError) -> Int {
    guard object.isMapped else { throw .notMapped }
    return try place(for: object)
  }

  /// Where the entry for `object` is: as remembered, or searched for. A structure lock is held.
  @inlinable @inline(__always)
  func location(of object: X86Object, _ table: Int) -> PhysicalAddress? {
    if object.location != 0, object.generation == context.generation {
      return PhysicalAddress(object.location)
    }
    return entry(object.start, table)
  }

  /// Where the entry of `table` for `address` is, nil when there is no cluster. A structure lock is held.
  @inlinable func entry(_ address: VirtualAddress, _ table: Int) -> PhysicalAddress? {
    context.meter.count(.lookup)
    let array = current(table)
    guard array.isOccupied, let slot = slot(of: HashedFormat.number(address, table), table, array) else {
      return nil
    }
    return slot.advanced(by: HashedFormat.entryOffset(address, table))
  }

  @inlinable @inline(__always)
  func store(_ object: X86Object, _ table: Int, at place: PhysicalAddress) -> UInt64 {
    context.meter.count(.entryWrite)
    let bits = HashedFormat.schemeBits(HashedFormat.number(object.start, table), at: place.raw & 63)
    return memory.exchange(object.entry.mapping | bits, at: place)
  }

  /// Stores an object where nothing is mapped, into a new cluster if there is none.
  @usableFromInline func insert(_ object: X86Object, _ table: Int) throws(TranslationError) -> UInt64 {
    if let conflict = otherSize(object) { throw conflict }
    return try alone { () throws(TranslationError) -> UInt64 in
      if let place = entry(object.start, table) { return store(object, table, at: place) }
      let number = HashedFormat.number(object.start, table)
      let slot = try claim(number, table)
      let offset = HashedFormat.entryOffset(object.start, table)
      fill(slot, number, table) { $0 == offset ? object.entry.mapping : 0 }
      context.meter.count(.entryWrite)
      return 0
    }
  }

  /// What of another size is mapped in the span of `object`. Costs no probe where there are no other sizes.
  @usableFromInline func otherSize(_ object: X86Object) -> TranslationError? {
    let others = (0..<HashedFormat.tables).contains {
      HashedFormat.pageSize($0) != object.size && current($0).isOccupied
    }
    guard others else { return nil }
    var iterator = makeIterator(over: object.span)
    while let other = nextMapped(&iterator) {
      if other.size != object.size { return .sizeConflict(existing: other.start, size: other.size) }
    }
    return nil
  }

  /// Frees the cluster for `address` if it still maps nothing.
  @usableFromInline func freeIfEmpty(_ address: VirtualAddress, _ table: Int) {
    alone {
      guard let place = entry(address, table) else { return }
      let slot = PhysicalAddress(place.raw & ~63)
      if isEmpty(slot) { free(slot, table) }
    }
  }
}

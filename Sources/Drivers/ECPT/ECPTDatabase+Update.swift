// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ECPTDatabase {
  /// Basic 5. No search right after a find that met a cluster of base pages, else one; two for a cluster's first page.
  @inlinable public func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    var old = object
    if object.location != 0, object.size == .base, object.isMapped, let raw = replace(object) {
      old.entry = X86Entry(X86Entry(raw).mapping)
      if word(ECPTWord.busy) != 0 { advance() }
    } else {
      old.entry = X86Entry(try insert(object))
    }
    return Change(old: old)
  }

  /// Basic 6. An empty cluster's slot is free, and stays its own until another cluster takes it.
  @inlinable public func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard let table = ECPTFormat.table(for: object.size), owns(object.start) else {
      throw otherSize(object) ?? .notMapped
    }
    var isBoundary = false
    let removed = shared { () -> UInt64 in
      guard let place = location(of: object, table) else { return 0 }
      let raw = X86Entry(erase(at: place, table)).mapping
      if raw != 0 { isBoundary = tally(summary(of: object.start), object.start, table, -1) }
      context.meter.count(.entryWrite)
      return raw
    }
    if isBoundary { noteBoundary(object.start) }
    guard removed != 0 else { throw otherSize(object) ?? .notMapped }
    var old = object
    old.entry = X86Entry(removed)
    return Change(old: old)
  }

  /// The table for `object`, if its place is one that can be mapped.
  @inlinable func table(for object: X86Object) throws(TranslationError) -> Int {
    guard let table = ECPTFormat.table(for: object.size) else { throw .unsupportedSize(object.size) }
    guard owns(object.start) else { throw .badAddress(object.start) }
    return table
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
    return slot(of: ECPTFormat.number(address, table), table)?
      .advanced(by: ECPTFormat.entryOffset(address, table))
  }

  /// Stores into the entry of a base page whose cluster is known to be there still.
  ///
  /// No larger page is where such a cluster is, and its summary and headers know of it.
  @inlinable @inline(__always) func replace(_ object: X86Object) -> UInt64? {
    shared { () -> UInt64? in
      guard object.generation == context.generation else { return nil }
      let raw = store(object.entry.mapping, at: PhysicalAddress(object.location))
      if X86Entry(raw).isNone { _ = tally(summary(of: object.start), object.start, 0, 1) }
      context.meter.count(.entryWrite)
      return raw
    }
  }

  /// The general `update`.
  @usableFromInline func insert(_ object: X86Object) throws(TranslationError) -> UInt64 {
    guard object.isMapped else { throw .notMapped }
    var group = ECPTGroup(object.start, object.size, count: 1)
    group.words[0] = object.entry.mapping
    group.location = object.location
    group.generation = object.generation
    let old = try put(group)
    context.meter.count(.entryWrite)
    return old.words[0]
  }

  /// Stores a mapping into an entry of a cluster, and counts it if it is new. A structure lock is held.
  /// - Returns: the entry before.
  @inlinable @inline(__always) func store(_ mapping: UInt64, at place: PhysicalAddress) -> UInt64 {
    let isMark = place.raw & 56 == ECPTFormat.markOffset
    let old = change(place) { old in
      let changed = old & X86Entry.schemeMask | mapping
      return isMark && X86Entry(old).isNone ? changed &+ ECPTFormat.one : changed
    }
    if !isMark, X86Entry(old).isNone { change(PhysicalAddress(place.raw | 56)) { $0 &+ ECPTFormat.one } }
    return old
  }

  /// Empties an entry of a cluster. The slot of an empty cluster is free; its tag stays. A structure lock is held.
  /// - Returns: the entry before.
  @inlinable func erase(at place: PhysicalAddress, _ table: Int) -> UInt64 {
    let isMark = place.raw & 56 == ECPTFormat.markOffset
    let old = change(place) { old in
      let changed = old & X86Entry.schemeMask
      return isMark && !X86Entry(old).isNone ? changed &- ECPTFormat.one : changed
    }
    guard !X86Entry(old).isNone else { return old }
    let mark = isMark ? old : change(PhysicalAddress(place.raw | 56)) { $0 &- ECPTFormat.one }
    if mark & ECPTFormat.bits == ECPTFormat.one {
      add(-1, to: ECPTWord.live(table))
      context.advanceGeneration()
    }
    return old
  }

  /// Whether the summary knows of no page of another size in the way of `object`.
  func isFree(_ summary: PhysicalAddress, _ object: X86Object, _ table: Int) -> Bool {
    let spans = spans(summary, object.start)
    if table == 2 { return spans & ~ECPTSummary.giant == 0 }
    let pages = pages(summary, object.start)
    let others = table == 0 ? pages & ECPTSummary.huge : pages & ~ECPTSummary.huge
    return others | spans & ECPTSummary.giant == 0
  }

  /// What of another size is mapped in the span of `object`.
  @usableFromInline func otherSize(_ object: X86Object) -> TranslationError? {
    var iterator = makeIterator(over: object.span)
    while let other = nextMapped(&iterator) {
      if other.size != object.size { return .sizeConflict(existing: other.start, size: other.size) }
    }
    return nil
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
public import X86Object

extension RadixTree {
  /// Basic 5. Writes one word; right after a `find` of the same page it reads no other.
  @inlinable public func update(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    if isLocated(object), object.size == .base, object.isMapped {
      return replaceBase(PhysicalAddress(object.location), object)
    }
    return try insert(object)
  }

  /// Basic 6. Writes one word; right after a `find` of the same page it reads no other.
  @inlinable public func remove(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    if isLocated(object), object.size == .base {
      let word = PhysicalAddress(object.location)
      return try takeOut(Slot(object.start, word: word, raw: object.entry.raw, level: 0))
    }
    return try takeOut(existing(object))
  }

  /// Replaces a 4 KiB leaf.
  @inlinable @inline(__always)
  func replaceBase(_ word: PhysicalAddress, _ object: X86Object) -> Change<X86Object> {
    let old = X86Entry(exchange(object.entry.mapping, at: word))
    context.meter.count(.entryWrite)
    if old.isNone { tally(word, 0, 1) }
    return Change(old: X86Object(object.start, .base, entry: old))
  }

  /// Empties a word that holds a leaf or nothing.
  @inlinable @inline(__always)
  func takeOut(_ slot: Slot) throws(TranslationError) -> Change<X86Object> {
    let old = replace(slot, by: 0)
    guard !X86Entry(old).isNone else { throw .notMapped }
    context.meter.count(slot.size == .base ? .entryWrite : .hugeEntryWrite)
    if !Mutation.leafCountForgotten.isPlanted { tally(slot.word, slot.level, ~0, mark: slot.mark) }
    return Change(old: object(slot, replaced: old))
  }

  /// The general `update`: walks, makes nodes, knows all sizes.
  @inlinable @inline(never)
  func insert(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard object.isMapped else { throw .notMapped }
    guard let level = RadixTree.level(of: object.size) else { throw .unsupportedSize(object.size) }
    guard covers(object.start, object.size) else { throw .badAddress(object.start) }
    context.meter.count(.lookup)
    let slot = try reach(object.start, level)
    return level == 0 ? replaceBase(slot.word, object) : try replaceHuge(slot, object)
  }

  /// The level whose leaves have `size`, if there is one.
  @inlinable static func level(of size: PageSize) -> Int? {
    (0...Shape.highestLeafLevel).first { Shape.span($0) == size }
  }

  /// Replaces a huge leaf, nothing, or nodes that hold nothing; those are freed.
  @inlinable @inline(never)
  func replaceHuge(_ slot: Slot, _ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    if slot.isTable {
      var iterator = RadixIterator(over: slot.span)
      if let mapped = nextSlot(&iterator) { throw .sizeConflict(existing: mapped.start, size: mapped.size) }
    }
    let raw = replace(slot, by: object.entry.mapping | slot.mark)
    context.meter.count(.hugeEntryWrite)
    let before = Slot(object.start, word: slot.word, raw: raw, level: slot.level)
    guard before.isVoid || before.isTable else {
      return Change(old: X86Object(object.start, object.size, entry: X86Entry(raw)))
    }
    tally(slot.word, slot.level, 1, mark: slot.mark)
    // What was known of single pages in this part of a flattened node is stale.
    if slot.mark != 0 { context.advanceGeneration() }
    guard before.isTable else { return Change(old: X86Object(object.start, object.size, entry: X86Entry(0))) }
    table.addToWord(~0, slot.word.frame)
    var gather = RadixGather()
    if before.level > 1 { prune(before.child, before.span, &gather) }
    take(before, &gather)
    return Change(old: X86Object(unmappedAt: object.start, size: object.size), obligation: finish(gather))
  }

  /// The leaf that is mapped at exactly `object`'s address and size.
  /// - Throws: `.notMapped`, or `.sizeConflict` with what is there.
  @inlinable @inline(never) func existing(_ object: X86Object) throws(TranslationError) -> Slot {
    let slot = lookUp(object.start)
    guard !slot.isVoid else { throw .notMapped }
    guard slot.size == object.size else { throw .sizeConflict(existing: slot.start, size: slot.size) }
    return slot
  }

  /// The slot for `address`; void where the database cannot map it.
  @inlinable func lookUp(_ address: VirtualAddress) -> Slot {
    context.meter.count(.lookup)
    guard covers(address) else { return Slot(address, word: PhysicalAddress(0), raw: 0, level: 0) }
    return walk(address)
  }

  /// What customizable functions 31–35 are made of: one walk. The caller's lock keeps the entry where it is.
  @inlinable public func withEntry<Result: ~Copyable>(
    at address: VirtualAddress, _ body: (X86Place) throws(TranslationError) -> Result
  ) throws(TranslationError) -> Result {
    let slot = lookUp(address)
    guard !slot.isVoid else { throw .notMapped }
    return try body(X86Place(word: slot.word, raw: slot.raw, page: slot.span, size: slot.size))
  }

  /// Replaces the word of a 4 KiB leaf; the first one of a region in a flattened node keeps its lock bits.
  @inlinable @inline(__always) func exchange(_ mapping: UInt64, at word: PhysicalAddress) -> UInt64 {
    if Shape.mayFlatten(1), word.raw & PageSize.base.mask == 0 {
      return memory.change(word, memory.loadAcquire(word), keeping: RadixLock.bits) { _ in mapping }
    }
    return memory.exchange(mapping, at: word)
  }

  /// Replaces the mapping and the mark in a slot's word and keeps the lock bits.
  /// - Returns: the word before, with every bit that hardware had set in it.
  @inlinable @inline(__always) func replace(_ slot: Slot, by entry: UInt64) -> UInt64 {
    if slot.level == 0 { return exchange(entry, at: slot.word) }
    return memory.change(slot.word, memory.loadAcquire(slot.word), keeping: RadixLock.bits) { _ in entry }
  }
}

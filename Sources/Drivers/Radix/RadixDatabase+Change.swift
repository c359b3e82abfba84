// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension RadixDatabase {
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
      return try takeOut(object, PhysicalAddress(object.location), 0)
    }
    return try removeSlowly(object)
  }

  /// Replaces a 4 KiB leaf.
  @inlinable @inline(__always)
  func replaceBase(_ word: PhysicalAddress, _ object: X86Object) -> Change<X86Object> {
    let old = X86Entry(memory.exchange(object.entry.mapping, at: word))
    context.meter.count(.entryWrite)
    if old.isNone { tally(word, 0, 1) }
    return Change(old: X86Object(object.start, .base, entry: old))
  }

  /// Empties a word that holds a leaf or nothing.
  @inlinable @inline(__always)
  func takeOut(
    _ object: X86Object, _ word: PhysicalAddress, _ level: Int
  ) throws(TranslationError) -> Change<X86Object> {
    let old = X86Entry(replace(word, level, by: 0))
    guard !old.isNone else { throw .notMapped }
    context.meter.count(.entryWrite)
    tally(word, level, ~0)
    return Change(old: X86Object(object.start, object.size, entry: old))
  }

  /// The general `update`: walks, makes nodes, knows all sizes.
  @usableFromInline
  func insert(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    guard object.isMapped else { throw .notMapped }
    guard let level = RadixFormat.level(of: object.size) else { throw .unsupportedSize(object.size) }
    guard covers(object.start, object.size) else { throw .badAddress(object.start) }
    if isLocated(object) {
      return try replaceHuge(RadixSlot(memory, node(of: object), object.start, level), object)
    }
    context.meter.count(.lookup)
    let slot = try reach(object.start, level)
    return level == 0 ? replaceBase(slot.word, object) : try replaceHuge(slot, object)
  }

  /// The node that a located object's word is in.
  func node(of object: X86Object) -> PhysicalAddress { PhysicalAddress(object.location).frame.address }

  /// Replaces a huge leaf, nothing, or nodes that hold nothing; those are freed.
  func replaceHuge(_ slot: RadixSlot, _ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    if slot.isTable, let mapped = firstMapped(below: slot) {
      throw .sizeConflict(existing: mapped.start, size: mapped.size)
    }
    let raw = replace(slot.word, slot.level, by: object.entry.mapping)
    context.meter.count(.entryWrite)
    let before = RadixSlot(object.start, word: slot.word, raw: raw, level: slot.level)
    guard before.isTable else {
      if before.isVoid { tally(slot.word, slot.level, 1) }
      return Change(old: X86Object(object.start, object.size, entry: X86Entry(raw)))
    }
    tally(slot.word, slot.level, 1)
    tally(node: slot, used: ~0)
    var gather = RadixGather()
    gather.takeNodes(before, of: self)
    return Change(old: X86Object(unmappedAt: object.start, size: object.size), obligation: finish(gather))
  }

  func firstMapped(below slot: RadixSlot) -> RadixSlot? {
    let known = slot.level == 1 ? used(slot.child.frame) : pages(slot.child.frame)
    guard known != 0 else { return nil }
    var iterator = RadixIterator(over: slot.span)
    return nextSlot(&iterator)
  }

  /// The general `remove`: walks, tells why there is nothing to remove.
  @usableFromInline
  func removeSlowly(_ object: X86Object) throws(TranslationError) -> Change<X86Object> {
    let slot = try existing(object)
    return try takeOut(object, slot.word, slot.level)
  }

  /// The leaf that is mapped at exactly `object`'s address and size.
  /// - Throws: `.notMapped`, or `.sizeConflict` with what is there.
  func existing(_ object: X86Object) throws(TranslationError) -> RadixSlot {
    context.meter.count(.lookup)
    guard covers(object.start) else { throw .notMapped }
    let slot = walk(object.start)
    guard !slot.isVoid else { throw .notMapped }
    guard slot.size == object.size else { throw .sizeConflict(existing: slot.start, size: slot.size) }
    return slot
  }
}

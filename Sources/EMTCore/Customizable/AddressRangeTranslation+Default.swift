// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

extension AddressRangeTranslation where Self: TranslationDatabase {
  /// Default: iterate.
  @inlinable public func isVoid(_ range: VirtualRange) -> Bool {
    var iterator = makeIterator(over: range)
    let object = nextMapped(&iterator)
    endIteration(iterator)
    return object == nil
  }

  /// Default: iterate.
  @inlinable public func countMapped(in range: VirtualRange) -> UInt64 {
    var pages: UInt64 = 0
    var iterator = makeIterator(over: range)
    while let object = nextMapped(&iterator) {
      let part = object.span.intersection(range)
      pages &+= Mutation.countIgnoresEdges.isPlanted ? object.span.pages : part.pages
    }
    endIteration(iterator)
    return pages
  }

  /// Default: iterate and remove.
  @inlinable
  public func removeAll(
    in range: VirtualRange, _ visit: (Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    try forEachMapped(in: range) { (object, flushed) throws(TranslationError) in
      let owed = try remove(object).takeObligation()
      if Mutation.removalOwesNothing.isPlanted { owed.discharge() } else { flushed.add(owed) }
      visit(object)
    }
  }

  /// Default: iterate and update what changes.
  @inlinable
  public func setProtection(
    in range: VirtualRange, to protection: Protection
  ) throws(RangeFailure) -> FlushObligation {
    try forEachMapped(in: range) { (object, flushed) throws(TranslationError) in
      guard object.isPresent else { return }
      var changed = object
      changed.setProtection(protection)
      try replace(by: changed, &flushed)
    }
  }

  /// Default: iterate, update the target, then the source.
  @inlinable
  public func copy(
    _ range: VirtualRange, into target: Self, decide: (Object) -> CopyDecision, copied: (Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    try forEachMapped(in: range) { (object, flushed) throws(TranslationError) in
      let decision = decide(object)
      if decision == .skip || Mutation.copySkipsSwapped.isPlanted && !object.isPresent { return }
      var shared = object
      let isProtected = decision == .shareProtected && object.isPresent && object.isWritable
      if isProtected { shared.isWritable = false }
      target.settle(try target.update(shared).takeObligation())
      if isProtected { try replace(by: shared, &flushed) }
      copied(object)
    }
  }

  /// Default: iterate, insert the new one, remove the old one.
  @inlinable
  public func move(
    _ range: VirtualRange, to start: VirtualAddress
  ) throws(RangeFailure) -> FlushObligation {
    try forEachMapped(in: range) { (object, flushed) throws(TranslationError) in
      let target = start.advanced(by: object.start.raw &- range.start.raw)
      guard target.isAligned(to: object.size) else {
        throw .sizeConflict(existing: object.start, size: object.size)
      }
      settle(try update(object.moved(to: target)).takeObligation())
      // Inserting may have moved the entry, so it is removed by address.
      let removed = try remove(object)
      let old = removed.old
      flushed.add(removed)
      try keepHardwareBits(of: old, in: object, at: target)
    }
  }

  /// Updates with `changed`, made from what was found a moment ago, without losing what hardware set since then.
  @inlinable
  func replace(by changed: Object, _ flushed: inout FlushSpan) throws(TranslationError) {
    let change = try update(changed)
    let old = change.old
    flushed.add(change)
    try keepHardwareBits(of: old, in: changed, at: changed.start)
  }

  /// Sets the accessed and dirty bits that `old` had and `known` lacks.
  @inlinable
  func keepHardwareBits(of old: Object, in known: Object, at address: VirtualAddress) throws(TranslationError)
  {
    guard old.isPresent, old.isAccessed && !known.isAccessed || old.isDirty && !known.isDirty else { return }
    if !Mutation.hardwareBitsLost.isPlanted { try setAccessed(at: address, alsoDirty: old.isDirty) }
  }

  /// Calls `body` for every mapped object that lies in `range`, and turns its first error into where it happened.
  @inlinable @inline(__always)
  func forEachMapped(
    in range: VirtualRange, _ body: (Object, inout FlushSpan) throws(TranslationError) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var iterator = makeIterator(over: range)
    while let object = nextMapped(&iterator) {
      do throws(TranslationError) {
        guard range.contains(object.span) else {
          throw TranslationError.sizeConflict(existing: object.start, size: object.size)
        }
        try body(object, &flushed)
      } catch {
        endIteration(iterator)
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: Swift.max(object.start, range.start), reason: error)
      }
    }
    endIteration(iterator)
    return flushed.obligation()
  }
}

extension TranslationObject {
  /// Gives a present object the rights of `protection`.
  @inlinable public mutating func setProtection(_ protection: Protection) {
    isReadable = protection.isReadable
    isWritable = protection.isWritable
    isExecutable = protection.isExecutable
  }
}

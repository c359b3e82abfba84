// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension RadixDatabase {
  /// Customizable 13. One aligned 2 MiB or 1 GiB is answered from a node's counts; see `countMapped`.
  public func isVoid(_ range: VirtualRange) -> Bool { count(range, atMost: 1) == 0 }

  /// Customizable 14. Reads one entry for every 1 GiB or 2 MiB that lies in the range as a whole, and leaves word by word
  /// only at its edges.
  public func countMapped(in range: VirtualRange) -> UInt64 { count(range, atMost: ~0) }

  private func count(_ range: VirtualRange, atMost limit: UInt64) -> UInt64 {
    var groups: UInt64 = 0
    let pages = pages(in: root, RadixFormat.rootLevel, clipped(range), atMost: limit, &groups)
    context.meter.count(.rangeGroup, groups)
    return pages
  }

  /// Counts mapped pages of `range` below `node`, which is at `level`; stops when there are `limit`.
  private func pages(
    in node: PhysicalAddress, _ level: Int, _ range: VirtualRange, atMost limit: UInt64,
    _ groups: inout UInt64
  ) -> UInt64 {
    let size = RadixFormat.span(level)
    var total: UInt64 = 0
    var position = range.start
    groups &+= 1
    while position < range.end, total < limit {
      let piece = VirtualRange(position, range.pieceEnd(position, size))
      let slot = RadixSlot(memory, node, position, level)
      if !slot.isTable {
        total &+= slot.isVoid ? 0 : piece.pages
      } else if piece.bytes == size.bytes, level <= 2 {
        total &+= level == 1 ? used(slot.child.frame) : pages(slot.child.frame)
      } else {
        total &+= pages(in: slot.child, level - 1, piece, atMost: limit &- total, &groups)
      }
      position = piece.end
    }
    return total
  }

  /// Customizable 15. Touches each mapped entry once, then each entry above the leaves once to free what is empty.
  @inlinable
  public func removeAll(
    in range: VirtualRange, _ visit: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var gather = try forEachSlot(in: range) { (slot, gather) throws(TranslationError) in
      let old = object(slot, replaced: replace(slot.word, slot.level, by: 0))
      tally(slot.word, slot.level, ~0)
      if old.isPresent { gather.flushed.add(page: slot.start, slot.size) }
      visit(old)
    }
    prune(range, &gather)
    return finish(gather)
  }

  /// Takes out the nodes whose span lies in `range` and that hold nothing, be it since now or since a `remove`.
  @usableFromInline func prune(_ range: VirtualRange, _ gather: inout RadixGather) {
    if range.bytes >= PageSize.twoMiB.bytes {
      prune(root, RadixFormat.rootLevel, clipped(range), &gather)
    }
  }

  private func prune(
    _ node: PhysicalAddress, _ level: Int, _ range: VirtualRange, _ gather: inout RadixGather
  ) {
    let size = RadixFormat.span(level)
    context.meter.count(.entryRead, (range.bytes &+ size.mask) &>> UInt64(size.shift))
    var position = range.start
    while position < range.end {
      let piece = VirtualRange(position, range.pieceEnd(position, size))
      let slot = RadixSlot(memory, node, position, level)
      if slot.isTable, piece.bytes >= PageSize.twoMiB.bytes {
        if level > 1 { prune(slot.child, level - 1, piece, &gather) }
        let isShared = isKernel && level == RadixFormat.rootLevel
        if piece.bytes == size.bytes, used(slot.child.frame) == 0, !isShared {
          _ = replace(slot.word, level, by: 0)
          tally(node: slot, used: ~0)
          gather.take(slot, of: self)
        }
      }
      position = piece.end
    }
  }

  /// Customizable 16. One compare-and-exchange for each present entry that changes.
  @inlinable
  public func setProtection(
    in range: VirtualRange, to protection: Protection
  ) throws(RangeFailure) -> FlushObligation {
    let gather = try forEachSlot(in: range) { (slot, gather) throws(TranslationError) in
      guard X86Entry(slot.raw).isResident else { return }
      var changed = slot.raw
      let old = change(slot.word, slot.raw) { mapping in
        var object = object(slot, replaced: mapping)
        object.setProtection(protection)
        changed = object.entry.raw
        return changed
      }
      if changed != X86Entry(old).mapping { gather.flushed.add(page: slot.start, slot.size) }
    }
    return finish(gather)
  }

  /// Calls `body` for every mapped leaf, all of which must lie in `range`, and turns its first error into where it
  /// happened.
  @inlinable @inline(__always)
  func forEachSlot(
    in range: VirtualRange, _ body: (RadixSlot, inout RadixGather) throws(TranslationError) -> Void
  ) throws(RangeFailure) -> RadixGather {
    var gather = RadixGather()
    var iterator = RadixIterator(over: range)
    var entries: UInt64 = 0
    var failure: RangeFailure?
    while failure == nil, let slot = nextSlot(&iterator) {
      do throws(TranslationError) {
        guard range.contains(slot.span) else {
          throw TranslationError.sizeConflict(existing: slot.start, size: slot.size)
        }
        try body(slot, &gather)
        entries &+= 1
      } catch {
        failure = RangeFailure(firstNotDone: Swift.max(slot.start, range.start), reason: error)
      }
    }
    context.meter.count(.rangeEntry, entries)
    context.meter.count(.rangeGroup, iterator.walks)
    context.meter.count(.entryRead, iterator.steps)
    guard let failure else { return gather }
    settle(finish(gather))
    throw failure
  }

  /// The object that was in `slot` when `raw` was there.
  @inlinable @inline(__always) func object(_ slot: RadixSlot, replaced raw: UInt64) -> X86Object {
    X86Object(slot.address, slot.size, entry: X86Entry(raw))
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
public import X86Object

extension RadixTree {
  /// Customizable 13. One aligned 2 MiB or 1 GiB is answered from a node's counts; see `countMapped`.
  @inlinable public func isVoid(_ range: VirtualRange) -> Bool { count(range, atMost: 1) == 0 }

  /// Customizable 14. Reads one entry for every 1 GiB or 2 MiB that lies in the range as a whole, and leaves word by word
  /// only at its edges.
  @inlinable public func countMapped(in range: VirtualRange) -> UInt64 { count(range, atMost: ~0) }

  @inlinable func count(_ range: VirtualRange, atMost limit: UInt64) -> UInt64 {
    var pages: UInt64 = 0
    count(in: rootNode, range.intersection(everything), atMost: limit, &pages)
    return pages
  }

  /// Adds the mapped pages of `range` below `node` to `total`; stops when there are `limit`.
  @inlinable @inline(never)
  func count(in node: RadixNode, _ range: VirtualRange, atMost limit: UInt64, _ total: inout UInt64) {
    context.meter.count(.summaryRead)
    guard node.isFlattened || used(node.frame) != 0 else { return }
    forEachEntry(of: node, range) { slot, piece in
      if total >= limit { return }
      if !slot.isTable {
        total &+= slot.isVoid ? 0 : piece.pages
      } else if piece.bytes == slot.size.bytes, slot.level <= 2 {
        total &+= slot.level == 1 ? used(slot.child.frame) : pages(slot.child.frame)
        if Mutation.countMissesLastPage.isPlanted, slot.level == 1 {
          total &-= used(slot.child.frame) == Shape.entries ? 1 : 0
        }
      } else {
        count(in: slot.child, piece, atMost: limit, &total)
      }
    }
  }

  /// Customizable 15. Touches each mapped entry once, then each entry above the leaves once to free what is empty.
  @inlinable
  public func removeAll(
    in range: VirtualRange, _ visit: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var gather = try forEachSlot(in: range) { (slot, gather) throws(TranslationError) in
      let old = object(slot, replaced: replace(slot, by: 0))
      tally(slot.word, slot.level, ~0, mark: slot.mark)
      if old.isPresent { gather.flushed.add(page: slot.start, slot.size) }
      visit(old)
    }
    if range.bytes >= PageSize.twoMiB.bytes {
      prune(rootNode, range.intersection(everything), &gather)
    }
    return finish(gather)
  }

  /// Takes out the nodes whose span lies in `range` and that hold nothing, be it since now or since a `remove`.
  @inlinable @inline(never)
  func prune(_ node: RadixNode, _ range: VirtualRange, _ gather: inout RadixGather) {
    if node.isFlattened, node.level == 1 { return }
    context.meter.count(.tableTrim)
    forEachEntry(of: node, range) { slot, piece in
      guard slot.isTable, piece.bytes >= PageSize.twoMiB.bytes else { return }
      if slot.level > 1 { prune(slot.child, piece, &gather) }
      let stays = node.isFlattened || isKernel && !Shape.hasKernelRoot && slot.level == Shape.rootLevel
      if piece.bytes == slot.size.bytes, !stays, isEmpty(slot.child) {
        _ = replace(slot, by: 0)
        table.addToWord(~0, slot.word.frame)
        if !Mutation.emptyNodeLeaked.isPlanted { take(slot, &gather) }
      }
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
      let old = memory.change(slot.word, slot.raw) { mapping in
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
    in range: VirtualRange, _ body: (Slot, inout RadixGather) throws(TranslationError) -> Void
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
    context.meter.count(.rangeCall)
    context.meter.count(.rangeEntry, entries)
    context.meter.count(.rangeGroup, iterator.walks)
    context.meter.count(.entryRead, iterator.steps)
    guard let failure else { return gather }
    settle(finish(gather))
    throw failure
  }
}

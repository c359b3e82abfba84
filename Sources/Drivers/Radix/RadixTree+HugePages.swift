// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
public import X86Object

extension RadixTree {
  /// Customizable 9. One walk for each leaf node, one word for each page.
  @inlinable
  public func insertRun(_ prototype: X86Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    context.meter.count(.rangeCall)
    var place = RadixIterator(over: prototype.span)
    for step in 0..<count {
      let page = copy(of: prototype, movedBy: step &* prototype.size.bytes)
      do throws(TranslationError) {
        flushed.add(try insert(page, at: &place))
      } catch {
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: page.start, reason: error)
      }
    }
    return flushed.obligation()
  }

  /// Customizable 10. Exchanges one word when all pieces are written, so that every address stays mapped at every
  /// instant; the pieces are gone through again when hardware sets a bit meanwhile. Writes 513 words, 512 in a flattened
  /// leaf node, where hardware looks at a page's own slot before the span's first one: that one is exchanged last.
  @inlinable @inline(never) public func split(_ object: X86Object) throws(TranslationError) {
    guard let smaller = smallerSize(than: object.size) else { throw .unsupportedSize(object.size) }
    let slot = try existing(object)
    let node = try nodeForPieces(of: slot)
    memory.change(slot.word, slot.raw, keeping: RadixLock.bits) { mapping in
      let huge = self.object(slot, replaced: mapping)
      let first = huge.relocated(to: huge.start, size: smaller, physicalAddress: huge.physicalAddress)
      var piece = first.entry.mapping
      if Mutation.splitLosesNoExecute.isPlanted { piece &= ~X86Entry.noExecute }
      forEachEntry(of: node, slot.span) { lower, _ in
        // Adds to what hardware noted in this piece already.
        if lower.word != slot.word { _ = memory.fetchOr(piece | lower.mark, at: lower.word) }
        piece &+= object.isPresent ? smaller.bytes : 0
      }
      return slot.mark == 0 ? node.pointer : first.entry.mapping
    }
    context.meter.count(.pieceWritten, Shape.entries)
    context.meter.count(.rangeGroup)
    if X86Entry(slot.raw).isResident { settle(FlushObligation(owing: slot.span, stride: slot.size)) }
  }

  /// A node for the pieces of the page in `slot`, counted but empty: a new one, or the part of a flattened leaf node where
  /// the page is. The pages were counted above already.
  @inlinable func nodeForPieces(of slot: Slot) throws(TranslationError) -> RadixNode {
    if slot.mark != 0 {
      table.addToWord(Shape.entries &- 1, slot.word.frame)
      return RadixNode(slot.word.raw, 0)
    }
    guard let node = makeNode(at: slot.level &- 1) else { throw .outOfMemory }
    if slot.level == 1 { table.setNext(slot.word.frame, of: node.frame) }
    if node.isFlattened {
      forEachEntry(of: node, slot.span) { lower, _ in tally(lower.word, 1, 1, mark: lower.mark) }
    } else {
      // Above leaves each entry stands for 512 pages.
      table.setWord(slot.level == 1 ? 512 : 512 &* (1 &+ 512 &<< 16), node.frame)
    }
    return node
  }
}

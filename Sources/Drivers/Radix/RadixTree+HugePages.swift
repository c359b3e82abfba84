// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension RadixTree {
  /// Customizable 9. One walk for each leaf node, one word for each page.
  @inlinable
  public func insertRun(_ prototype: X86Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
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

  /// Customizable 10. Fills a node and exchanges one word, so that every address stays mapped at every instant; the
  /// node is filled again when hardware sets a bit meanwhile. Writes 513 words, 512 in a flattened leaf node.
  @inlinable @inline(never) public func split(_ object: X86Object) throws(TranslationError) {
    guard let smaller = smallerSize(than: object.size) else { throw .unsupportedSize(object.size) }
    let slot = try existing(object)
    let step = object.isPresent ? smaller.bytes : 0
    let firstPiece = { (raw: UInt64) -> UInt64 in
      let huge = self.object(slot, replaced: raw)
      return huge.relocated(to: huge.start, size: smaller, physicalAddress: huge.physicalAddress).entry
        .mapping
    }
    if slot.mark != 0 {
      splitInPlace(slot, step, firstPiece)
    } else {
      try splitIntoNode(slot, step, firstPiece)
    }
    context.meter.count(.rangeEntry, Shape.entries)
    context.meter.count(.rangeGroup)
    if X86Entry(slot.raw).isResident { settle(FlushObligation(owing: slot.span, stride: slot.size)) }
  }

  /// Makes a node of pieces, each `step` further on in memory, and puts it in place of the page in `slot`.
  @inlinable func splitIntoNode(
    _ slot: Slot, _ step: UInt64, _ firstPiece: (UInt64) -> UInt64
  ) throws(TranslationError) {
    guard let node = makeNode(at: slot.level &- 1) else { throw .outOfMemory }
    if slot.level == 1 { table.setNext(slot.word.frame, of: node.frame) }
    // All entries are in use, and above leaves each stands for 512 pages; the pages were counted above already.
    if !node.isFlattened {
      table.setWord(slot.level == 1 ? 512 : 512 &* (1 &+ 512 &<< 16), node.frame)
    }
    let pieces = VirtualRange(slot.start, bytes: Shape.entries &<< Shape.shift(node.level))
    if node.isFlattened {
      forEachEntry(of: node, pieces) { lower, _ in tally(lower.word, 1, 1, mark: lower.mark) }
    }
    memory.change(slot.word, slot.raw, keeping: RadixLock.bits) { mapping in
      var piece = firstPiece(mapping)
      forEachEntry(of: node, pieces) { lower, _ in
        memory.storeRelaxed(piece | lower.mark, at: lower.word)
        piece &+= step
      }
      return node.pointer
    }
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
internal import EntryFormats
internal import SimMemory
public import X86Object

extension RadixDatabase {
  /// Customizable 9. One walk for each leaf node, one word for each page.
  public func insertRun(_ prototype: X86Object, count: UInt64) throws(RangeFailure) -> FlushObligation {
    var flushed = FlushSpan()
    var done: UInt64 = 0
    while done < count {
      let page = copy(of: prototype, movedBy: done &* prototype.size.bytes)
      do throws(TranslationError) {
        if page.size == .base, page.isMapped {
          done &+= try fillLeaf(page, atMost: count &- done, &flushed)
        } else {
          flushed.add(try insert(page))
          done &+= 1
        }
      } catch {
        settle(flushed.obligation())
        throw RangeFailure(firstNotDone: page.start, reason: error)
      }
    }
    return flushed.obligation()
  }

  /// Inserts pages up to the end of the leaf node.
  /// - Returns: how many.
  private func fillLeaf(
    _ first: X86Object, atMost limit: UInt64, _ flushed: inout FlushSpan
  ) throws(TranslationError) -> UInt64 {
    var place = RadixIterator(over: first.span)
    try enterForWriting(&place)
    let index = RadixFormat.entryOffset(first.start, 0) &>> 3
    let pages = Swift.min(limit, RadixFormat.entries &- index)
    let entry = first.entry.mapping
    let step = first.isPresent ? PageSize.base.bytes : 0
    var added: UInt64 = 0
    for page in 0..<pages {
      let word = place.leaf.advanced(by: (index &+ page) &<< 3)
      let old = X86Entry(memory.exchange(entry &+ page &* step, at: word))
      if old.isNone { added &+= 1 }
      if old.isResident { flushed.add(page: first.start.advanced(by: page &<< 12), .base) }
    }
    tally(place.leaf, 0, added)
    context.meter.count(.rangeEntry, pages)
    context.meter.count(.rangeGroup)
    return pages
  }

  /// Customizable 10. Fills a node and exchanges one word, so that every address stays mapped at every instant; the
  /// node is filled again when hardware sets a bit meanwhile. Writes 513 words.
  public func split(_ object: X86Object) throws(TranslationError) {
    guard let smaller = smallerSize(than: object.size) else { throw .unsupportedSize(object.size) }
    let slot = try existing(object)
    guard let node = makeNode() else { throw .outOfMemory }
    if slot.level == 1 { table.setNext(slot.word.frame, of: node) }
    // All entries are in use, and above leaves each stands for 512 pages.
    table.setWord(slot.level == 1 ? 512 : 512 &* (1 &+ 512 &<< 16), node)
    change(slot.word, slot.raw) { mapping in
      let huge = self.object(slot, replaced: mapping)
      let first = huge.relocated(to: huge.start, size: smaller, physicalAddress: huge.physicalAddress)
      let step = huge.isPresent ? smaller.bytes : 0
      for index in 0..<RadixFormat.entries {
        memory.storeRelaxed(
          first.entry.mapping &+ index &* step, at: node.address.advanced(by: index &<< 3))
      }
      return RadixDatabase.pointer(to: node)
    }
    context.meter.count(.rangeEntry, RadixFormat.entries)
    context.meter.count(.rangeGroup)
    if X86Entry(slot.raw).isResident { settle(FlushObligation(owing: slot.span, stride: slot.size)) }
  }
}

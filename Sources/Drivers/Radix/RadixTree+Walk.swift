// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
public import X86Object

extension RadixTree {
  /// Follows nodes to the entry for `address` at level `lowest`, or to what is in the way above it. At most one word of
  /// each level. Written out, so that every level is a constant.
  @inlinable @inline(__always)
  func walk(_ address: VirtualAddress, to lowest: Int = 0) -> Slot {
    var slot = Slot(memory, rootNode, address)
    if Shape.rootLevel > 3 {
      guard slot.isTable else { return slot }
      slot = Slot(memory, slot.child, address)
    }
    guard slot.isTable, lowest < 3 else { return slot }
    slot = Slot(memory, slot.child, address)
    guard slot.isTable, lowest < 2 else { return slot }
    slot = Slot(memory, slot.child, address)
    guard slot.isTable, lowest < 1 else { return slot }
    return Slot(memory, slot.child, address)
  }

  /// Basic 4. Reads at most one word of each level, and the counts of at most two nodes where it finds nothing.
  @inlinable public func find(_ address: VirtualAddress) -> X86Object {
    context.meter.count(.lookup)
    guard covers(address) else {
      return X86Object(unmappedAt: address.aligned(down: .base), size: .base)
    }
    let generation = context.generation
    let slot = walk(address)
    if slot.level == 0, !slot.isVoid || used(slot.word.frame) != 0 && !Mutation.voidTooLarge.isPlanted {
      return X86Object(
        address, .base, entry: X86Entry(slot.raw), location: slot.word.raw, generation: generation)
    }
    return largerObject(address, slot.word, slot.raw, slot.level, generation)
  }

  /// What `find` found when it is no page or void of base size. Takes the slot apart: a slot would be put into memory first,
  /// on the way to every page.
  @inlinable @inline(never)
  func largerObject(
    _ address: VirtualAddress, _ word: PhysicalAddress, _ raw: UInt64, _ level: Int, _ generation: UInt64
  ) -> X86Object {
    let slot = Slot(address, word: word, raw: raw, level: level)
    if slot.isVoid, let size = voidAbove(slot) {
      return X86Object(slot.address, size, entry: X86Entry(0))
    }
    return object(slot, generation)
  }

  /// What a slot holds, as an object that knows its place.
  @inlinable @inline(__always)
  func object(_ slot: Slot, _ generation: UInt64 = 0) -> X86Object {
    X86Object(
      slot.address, slot.size, entry: X86Entry(slot.raw), location: slot.word.raw, generation: generation)
  }

  /// The object that was in `slot` when `raw` was there.
  @inlinable @inline(__always) func object(_ slot: Slot, replaced raw: UInt64) -> X86Object {
    X86Object(slot.address, slot.size, entry: X86Entry(raw))
  }

  /// The size of the void around an entry that says nothing, when it is larger than the entry's span, or when no page
  /// of that span could be inserted there.
  @inlinable func voidAbove(_ slot: Slot) -> PageSize? {
    let node = slot.word.frame
    if slot.level == 0 { return pages(table.next(node)) == 0 ? .oneGiB : .twoMiB }
    if slot.level == Shape.rootLevel { return slot.size }
    if (slot.level == 1 ? pages(node) : used(node)) == 0 { return Shape.span(slot.level &+ 1) }
    return covers(slot.start, slot.size) ? nil : slot.size
  }

  /// The entry word for `address` at `level`; nodes on the way there are made.
  ///
  /// All missing nodes are linked up before the first of them is published, so that running out of memory changes
  /// nothing, and nobody sees a node that may go again.
  /// - Throws: `.sizeConflict` when a larger page is in the way, `.outOfMemory`.
  @inlinable @inline(never)
  func reach(_ address: VirtualAddress, _ level: Int) throws(TranslationError) -> Slot {
    while true {
      let slot = walk(address, to: level)
      if slot.level == level { return slot }
      guard slot.isVoid else { throw .sizeConflict(existing: slot.start, size: slot.size) }
      guard let chain = makeChain(address, from: slot, to: level) else { throw .outOfMemory }
      let entry = chain.pointer | slot.raw & RadixLock.bits
      if memory.compareExchange(slot.raw, entry, at: slot.word) == slot.raw {
        table.addToWord(1, slot.word.frame)
      } else {
        freeNodes(below: chain, VirtualRange(page: address, .base))
        freeNode(chain)
      }
    }
  }
}

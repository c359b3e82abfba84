// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension RadixDatabase {
  /// Follows tables to the entry for `address` at level `lowest`, or to what is in the way above it. At most four words.
  @inlinable @inline(__always)
  func walk(_ address: VirtualAddress, to lowest: Int = 0) -> RadixSlot {
    var slot = RadixSlot(memory, root, address, 3)
    guard slot.isTable, lowest < 3 else { return slot }
    slot = RadixSlot(memory, slot.child, address, 2)
    guard slot.isTable, lowest < 2 else { return slot }
    slot = RadixSlot(memory, slot.child, address, 1)
    guard slot.isTable, lowest < 1 else { return slot }
    return RadixSlot(memory, slot.child, address, 0)
  }

  /// Basic 4. Reads at most four words, and the counts of at most two nodes where it finds nothing.
  @inlinable public func find(_ address: VirtualAddress) -> X86Object {
    context.meter.count(.lookup)
    guard covers(address) else {
      return X86Object(unmappedAt: address.aligned(down: .base), size: .base)
    }
    let generation = context.generation
    let slot = walk(address)
    if slot.level == 0, !slot.isVoid || table.word(slot.word.frame) != 0 {
      return X86Object(
        address, .base, entry: X86Entry(slot.raw), location: slot.word.raw, generation: generation)
    }
    return largerObject(slot, generation)
  }

  /// What `find` found when it is no page or void of base size.
  @usableFromInline @inline(never)
  func largerObject(_ slot: RadixSlot, _ generation: UInt64) -> X86Object {
    if slot.isVoid, let size = voidAbove(slot) {
      return X86Object(slot.address, size, entry: X86Entry(0))
    }
    return object(slot, generation)
  }

  /// The size of the void around an entry that says nothing, when it is larger than the entry's span, or when no page
  /// of that span could be inserted there.
  @usableFromInline func voidAbove(_ slot: RadixSlot) -> PageSize? {
    let node = slot.word.frame
    switch slot.level {
    case 0: return pages(table.next(node)) == 0 ? .oneGiB : .twoMiB
    case 1 where pages(node) == 0: return .oneGiB
    case 2 where used(node) == 0: return RadixFormat.span(3)
    case 3: return slot.size
    default: return covers(slot.start, slot.size) ? nil : slot.size
    }
  }

  /// The entry word for `address` at `level`; nodes on the way there are made.
  ///
  /// All missing nodes are linked up before the first of them is published, so that running out of memory changes
  /// nothing, and nobody sees a node that may go again.
  /// - Throws: `.sizeConflict` when a larger page is in the way, `.outOfMemory`.
  @usableFromInline
  func reach(_ address: VirtualAddress, _ level: Int) throws(TranslationError) -> RadixSlot {
    while true {
      let slot = walk(address, to: level)
      if slot.level == level { return slot }
      guard slot.isVoid else { throw .sizeConflict(existing: slot.start, size: slot.size) }
      guard let chain = makeChain(address, from: level, below: slot) else { throw .outOfMemory }
      let entry = RadixDatabase.pointer(to: chain) | slot.raw & X86Entry.schemeMask
      if memory.compareExchange(slot.raw, entry, at: slot.word) == slot.raw {
        tally(node: slot, used: 1)
      } else {
        freeNodes(below: chain.address, slot.level - 1, VirtualRange(page: address, slot.size))
        freeNode(chain)
      }
    }
  }

  /// Replaces the mapping in a word and keeps the word's lock bits.
  /// - Returns: the word before, with every bit that hardware had set in it.
  @inlinable @inline(__always)
  func replace(_ word: PhysicalAddress, _ level: Int, by mapping: UInt64) -> UInt64 {
    if level == 0 { return memory.exchange(mapping, at: word) }
    return change(word, memory.loadAcquire(word)) { _ in mapping }
  }

  /// Replaces the mapping in a word by what `body` makes of it, and keeps the word's lock bits.
  /// - Parameter seen: what was read there.
  /// - Returns: the word before.
  @inlinable @inline(__always) @discardableResult
  func change(_ word: PhysicalAddress, _ seen: UInt64, _ body: (UInt64) -> UInt64) -> UInt64 {
    var seen = seen
    while true {
      let entry = body(seen & ~X86Entry.schemeMask) | seen & X86Entry.schemeMask
      if entry == seen { return seen }
      let found = memory.compareExchange(seen, entry, at: word)
      if found == seen { return seen }
      seen = found
    }
  }
}

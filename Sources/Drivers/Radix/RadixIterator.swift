// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// A cursor that remembers the leaf node it is in, so that the next entry is one read away.
@frozen public struct RadixIterator: TranslationIterator {
  /// The next address to look at.
  public var position: VirtualAddress
  /// Where the iteration ends.
  public let end: VirtualAddress
  /// The leaf node, the number of its 2 MiB region, and the generation in which that was right.
  @usableFromInline var leaf = PhysicalAddress(0)
  @usableFromInline var region = ~UInt64(0)
  @usableFromInline var generation: UInt64 = 0
  /// What the meter has not been told yet: entries looked at, nodes gone to.
  @usableFromInline var steps: UInt64 = 0
  @usableFromInline var walks: UInt64 = 0

  /// Starts at the start of `range`.
  @inlinable public init(over range: VirtualRange) {
    position = range.start
    end = range.end
  }

  @inlinable @inline(__always) var range: VirtualRange { VirtualRange(position, end) }

  @inlinable mutating func remember(_ leaf: PhysicalAddress, _ generation: UInt64) {
    self.leaf = leaf
    self.generation = generation
    region = position.raw &>> 21
  }
}

extension RadixDatabase {
  /// Customizable 3: one word inside a leaf node, a walk at its edge.
  @inlinable public func next(_ iterator: inout RadixIterator) -> X86Object {
    context.meter.count(.iteratorStep)
    if isInLeaf(iterator) {
      let slot = RadixSlot(memory, iterator.leaf, iterator.position, 0)
      iterator.position = iterator.position.advanced(by: PageSize.base.bytes)
      return object(slot, iterator.generation)
    }
    let object = find(iterator.position)
    if object.size == .base, object.location != 0 {
      iterator.remember(PhysicalAddress(object.location & ~PageSize.base.mask), object.generation)
    }
    iterator.position = iterator.range.pieceEnd(iterator.position, object.size)
    return object
  }

  /// Customizable 5: scans leaf nodes word by word and jumps what is known to be void.
  @inlinable public func nextMapped(_ iterator: inout RadixIterator) -> X86Object? {
    let slot = nextSlot(&iterator)
    context.meter.count(.iteratorStep, iterator.steps)
    context.meter.count(.lookup, iterator.walks)
    iterator.steps = 0
    iterator.walks = 0
    guard let slot else { return nil }
    return object(slot, context.generation)
  }

  /// What a slot holds, as an object that knows its place.
  @inlinable @inline(__always)
  func object(_ slot: RadixSlot, _ generation: UInt64 = 0) -> X86Object {
    X86Object(
      slot.address, slot.size, entry: X86Entry(slot.raw), location: slot.word.raw, generation: generation)
  }

  @inlinable @inline(__always) func isInLeaf(_ iterator: RadixIterator) -> Bool {
    iterator.position.raw &>> 21 == iterator.region && iterator.generation == context.generation
  }

  /// The next mapped leaf of any size; the iterator moves behind it.
  @inlinable func nextSlot(_ iterator: inout RadixIterator) -> RadixSlot? {
    while iterator.position < iterator.end {
      if !isInLeaf(iterator) {
        if let huge = enterLeaf(&iterator) { return huge }
        continue
      }
      let end = iterator.range.pieceEnd(iterator.position, .twoMiB)
      while iterator.position < end {
        let slot = RadixSlot(memory, iterator.leaf, iterator.position, 0)
        iterator.position = iterator.position.advanced(by: PageSize.base.bytes)
        iterator.steps &+= 1
        if !slot.isVoid { return slot }
      }
    }
    return nil
  }

  /// Walks to the iterator's position, and moves on over a void.
  /// - Returns: the huge leaf that is there.
  @usableFromInline func enterLeaf(_ iterator: inout RadixIterator) -> RadixSlot? {
    let ours = clipped(iterator.range)
    guard !ours.isEmpty else {
      iterator.position = iterator.end
      return nil
    }
    iterator.position = ours.start
    iterator.walks &+= 1
    let generation = context.generation
    let slot = walk(iterator.position, to: 1)
    if slot.isTable, used(slot.child.frame) != 0 {
      iterator.remember(slot.child, generation)
      return nil
    }
    let isEmpty = slot.isVoid || slot.isTable
    let size = isEmpty ? (slot.isVoid ? voidAbove(slot) ?? slot.size : slot.size) : slot.size
    iterator.position = iterator.range.pieceEnd(iterator.position, size)
    iterator.steps &+= 1
    return isEmpty ? nil : slot
  }
}

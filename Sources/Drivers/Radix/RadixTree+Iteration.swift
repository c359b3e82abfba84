// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
public import X86Object

extension RadixTree {
  /// Customizable 3: one word inside a leaf node, a walk at its edge.
  @inlinable public func next(_ iterator: inout RadixIterator) -> X86Object {
    context.meter.count(.iteratorStep)
    if isInLeaf(iterator) {
      let slot = slot(at: iterator)
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

  @inlinable @inline(__always) func isInLeaf(_ iterator: RadixIterator) -> Bool {
    iterator.position.raw &>> 21 == iterator.region && iterator.generation == context.generation
  }

  /// The next mapped leaf of any size; the iterator moves behind it.
  @inlinable func nextSlot(_ iterator: inout RadixIterator) -> Slot? {
    while iterator.position < iterator.end {
      if !isInLeaf(iterator) {
        if let huge = enterLeaf(&iterator) { return huge }
        continue
      }
      let end = iterator.range.pieceEnd(iterator.position, .twoMiB)
      while iterator.position < end {
        let slot = slot(at: iterator)
        iterator.position = iterator.position.advanced(by: PageSize.base.bytes)
        iterator.steps &+= 1
        if !slot.isVoid { return slot }
      }
    }
    return nil
  }

  /// The slot at an iterator's position in its leaf node.
  @inlinable @inline(__always) func slot(at iterator: RadixIterator) -> Slot {
    Slot(memory, RadixNode(iterator.leaf.raw, 0), iterator.position)
  }

  /// Walks to the iterator's position, and moves on over a void.
  /// - Returns: the huge leaf that is there.
  @inlinable @inline(never) func enterLeaf(_ iterator: inout RadixIterator) -> Slot? {
    let ours = iterator.range.intersection(everything)
    guard !ours.isEmpty else {
      iterator.position = iterator.end
      return nil
    }
    iterator.position = ours.start
    iterator.walks &+= 1
    let generation = context.generation
    let slot = walk(iterator.position, to: 1)
    let isEmpty = slot.isVoid || slot.isTable
    if slot.isTable, used(slot.child.frame) != 0 {
      iterator.remember(slot.child.address, generation)
      return nil
    }
    let size = slot.isVoid ? voidAbove(slot) ?? slot.size : slot.size
    iterator.position = iterator.range.pieceEnd(iterator.position, size)
    iterator.steps &+= 1
    return isEmpty ? nil : slot
  }
}

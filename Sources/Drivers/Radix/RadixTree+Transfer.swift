// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory
public import X86Object

extension RadixTree {
  /// Customizable 17. One entry read and one written for each object, one walk of the target for each leaf node; a
  /// missing node is allocated before its first entry is touched.
  @inlinable
  public func copy(
    _ range: VirtualRange, into target: RadixTree, decide: (X86Object) -> CopyDecision,
    copied: (X86Object) -> Void
  ) throws(RangeFailure) -> FlushObligation {
    var place = RadixIterator(over: range)
    let gather = try forEachSlot(in: range) { (slot, gather) throws(TranslationError) in
      let object = object(slot)
      let decision = decide(object)
      if decision == .skip { return }
      var shared = object
      let isProtected = decision == .shareProtected && object.isPresent && object.isWritable
      if isProtected { shared.isWritable = false }
      target.settle(try target.insert(shared, at: &place).takeObligation())
      if isProtected, !Mutation.copyLeavesWritable.isPlanted {
        _ = memory.fetchAnd(~X86Entry.writable, at: slot.word)
        if !Mutation.copyOwesNothing.isPlanted { gather.flushed.add(page: slot.start, slot.size) }
      }
      copied(object)
    }
    return finish(gather)
  }

  /// Customizable 18. A leaf node that moves as a whole costs two walks, else an entry is read and two are written.
  @inlinable public func move(_ range: VirtualRange, to start: VirtualAddress) throws(RangeFailure)
    -> FlushObligation
  {
    let distance = start.raw &- range.start.raw
    var place = RadixIterator(over: VirtualRange(start, bytes: range.bytes))
    let gather = try forEachSlot(in: range) { (slot, gather) throws(TranslationError) in
      let target = slot.start.advanced(by: distance)
      guard target.isAligned(to: slot.size) else {
        throw .sizeConflict(existing: slot.start, size: slot.size)
      }
      let region = VirtualRange(page: slot.start, .twoMiB)
      if slot.level == 0, distance & PageSize.twoMiB.mask == 0, range.contains(region),
        try moveLeaf(region.start, to: region.start.advanced(by: distance))
      {
        gather.flushed.add(region, stride: .base)
        return
      }
      var moved = object(slot).moved(to: target)
      if Mutation.moveLosesDirty.isPlanted { moved.isDirty = false }
      settle(try insert(moved, at: &place).takeObligation())
      let old = replace(slot, by: 0)
      tally(slot.word, slot.level, ~0, mark: slot.mark)
      // What hardware noted in the old place while both were there.
      let late = old & ~slot.raw & (X86Entry.accessed | X86Entry.dirty)
      if late != 0 { _ = memory.fetchOr(late, at: walk(target, to: slot.level).word) }
      if X86Entry(old).isResident { gather.flushed.add(page: slot.start, slot.size) }
    }
    return finish(gather)
  }

  /// Moves a leaf node from one 2 MiB region to another one that has none.
  /// - Returns: false when the other region has something: then nothing happened.
  @inlinable @inline(never) func moveLeaf(_ start: VirtualAddress, to target: VirtualAddress)
    throws(TranslationError) -> Bool
  {
    guard covers(target, .twoMiB) else { return false }
    let (old, new) = (walk(start, to: 1), try reach(target, 1))
    guard new.isVoid, old.mark == 0 else { return false }
    let leaf = old.child.frame
    // As linear sums: one entry, and its pages.
    let counts = 1 &+ used(leaf) &<< 16
    _ = replace(new, by: old.child.pointer)
    table.addToWord(counts, new.word.frame)
    if !Mutation.movedLeafKeepsParent.isPlanted { table.setNext(new.word.frame, of: leaf) }
    _ = replace(old, by: 0)
    table.addToWord(0 &- counts, old.word.frame)
    if !Mutation.movedLeafNotAnnounced.isPlanted { context.advanceGeneration() }
    return true
  }

  /// `update` for neighbours: walks only where a leaf node begins. `place` remembers the node.
  @inlinable
  func insert(
    _ object: X86Object, at place: inout RadixIterator
  ) throws(TranslationError) -> Change<X86Object> {
    guard object.size == .base, object.isMapped else { return try insert(object) }
    place.position = object.start
    if !isInLeaf(place) { try enterForWriting(&place) }
    let offset = Shape.entryOffset(object.start, 0)
    return replaceBase(place.leaf.advanced(by: offset), object)
  }

  @inlinable @inline(never) func enterForWriting(_ place: inout RadixIterator) throws(TranslationError) {
    guard covers(place.position) else { throw .badAddress(place.position) }
    let generation = context.generation
    let slot = try reach(place.position, 0)
    place.remember(slot.word.frame.address, generation)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
internal import Mutations
public import SimMemory

// The memory behind huge pages. A block is *whole* while all of its translations are huge: they are counted at its
// first frame. It is *cut* when an address space had to split its translation: from then on every frame is counted
// alone, and a huge translation that another space still has counts once for each of them.
extension FrameAllocator {
  /// Whether the frames of the block at `head` are counted one by one.
  @inlinable func isCut(_ head: FrameNumber) -> Bool { table.pageFlags(head).contains(.blockIsCut) }

  /// One more translation of a block of 2^`order` frames.
  @inlinable func addMapping(_ head: FrameNumber, order: Int) {
    guard order > 0, isCut(head) else { return table.addMapping(head) }
    for step in 0..<(1 as UInt64) &<< UInt64(order) { table.addMapping(head.advanced(by: step)) }
  }

  /// Whether one translation is all that the block has, and nobody else holds any of it.
  @inlinable func hasOneOwner(_ head: FrameNumber, order: Int) -> Bool {
    guard order > 0, isCut(head) else { return table.mappings(head) == 1 && table.references(head) == 0 }
    for step in 0..<(1 as UInt64) &<< UInt64(order) {
      let frame = head.advanced(by: step)
      if table.mappings(frame) != 1 || table.references(frame) != 0 { return false }
    }
    return true
  }

  /// Counts the frames of a whole block one by one from now on.
  @usableFromInline func cutBlock(_ head: FrameNumber, order: Int) {
    guard !isCut(head) else { return }
    let (count, word) = (table.mappings(head), table.word(head))
    let inherited = table.pageFlags(head).subtracting([.hugeHead, .onList])
    for step in 1..<(1 as UInt64) &<< UInt64(order) {
      let frame = head.advanced(by: step)
      let isForgotten = Mutation.splitMiscountsLast.isPlanted && step &+ 1 == (1 as UInt64) << UInt64(order)
      if !isForgotten { table.addMappings(count, frame) }
      table.setFlags(inherited.rawValue, frame)
      if word != 0 { table.setWord(word &+ step, frame) }
    }
    cut(head, order: order)
    table.unmark(.hugeHead, head)
    table.mark(.blockIsCut, head)
  }
}

extension Kernel {
  /// A zeroed block for a huge page; nil when no block is free.
  @inlinable func allocateHugeBlock() -> FrameNumber? {
    let mark = meter.enter(.pageSupply)
    defer { meter.leave(mark) }
    guard let head = takeFrame(order: hugeSize.order) else {
      // A base page does instead: nothing has to be emptied for a block.
      _ = platform.frames.takeFailedOrder()
      return nil
    }
    _ = platform.frames.clearBlock(head, frames: hugeSize.basePages)
    meter.count(.blockAllocated)
    meter.count(.contentZeroed, hugeSize.basePages)
    return head
  }

  /// Puts a block that `space` has just mapped on its list, by its first frame.
  @inlinable
  func admitBlock(_ head: FrameNumber, _ space: Space<Database>, at address: VirtualAddress) {
    guard let index = space.layout.areas.index(of: address) else {
      preconditionFailure("a huge page was mapped outside every area")
    }
    pageLists.admit(head, key(space, index, at: address), [.anonymous, .hugeHead])
  }

  /// Counts the frames of a block one by one from now on, and puts each on the list where the block was.
  @usableFromInline func cutAndList(_ head: FrameNumber, order: Int) {
    guard !platform.frames.isCut(head) else { return }
    meter.count(.blockFrame, 1 &<< UInt64(order))
    platform.frames.cutBlock(head, order: order)
    for step in 1..<(1 as UInt64) &<< UInt64(order) { pageLists.move(head.advanced(by: step)) { _ in } }
  }

  /// Gives a block back that was never mapped.
  @usableFromInline func freeHugeBlock(_ head: FrameNumber) {
    meter.count(.blockFreed)
    freePage(head, order: hugeSize.order)
  }

  /// The block of zeroes that all untouched huge pages read from, made when the first one is needed. It stays until
  /// the kernel shuts down.
  @usableFromInline func hugeZeroBlock() -> FrameNumber? {
    if let head = counters.value.hugeZeroHead { return head }
    guard let head = allocateHugeBlock() else { return nil }
    // It is everybody's.
    if counters.value.placesPages { uncharge(head, order: hugeSize.order) }
    platform.frames.table.retain(head)
    counters.value.hugeZeroHead = head
    return head
  }

  /// Gives the block of zeroes back: at shutdown, when nobody maps it.
  func releaseHugeZeroBlock() {
    guard let head = counters.value.hugeZeroHead else { return }
    if platform.frames.table.release(head) == 0 { platform.frames.free(head, order: hugeSize.order) }
    counters.value.hugeZeroHead = nil
  }
}

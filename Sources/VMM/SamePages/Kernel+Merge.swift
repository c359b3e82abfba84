// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

// Merging one page. Each step leaves everything as it was when memory for tables runs out.
extension Kernel {
  /// Whether pages of `area` may be merged: private ones, of a file too, that may not vanish by themselves
  /// and are no pooled huge pages.
  @inlinable func canHoldMergedPages(_ area: VMA) -> Bool {
    area.isPrivate && area.flags.isDisjoint(with: [.droppable, .hugeTLB])
  }

  /// The base translation at `address`, which no store can pass by any more; nil where there is none, or where a huge page
  /// cannot be split, or the page is one that its process gave up. The caller holds the lock.
  @inlinable
  func protectForMerging(_ space: Space<Database>, _ address: VirtualAddress) -> Database.Object? {
    let database = space.database
    var object = database.find(address)
    guard object.isPresent, !object.isSpecial else { return nil }
    if object.size != .base {
      do { try splitHugePage(space, object) } catch { return nil }
      object = database.find(address)
    }
    let flags = platform.frames.table.pageFlags(object.frame)
    guard flags.contains([.anonymous, .onList]), flags.isDisjoint(with: [.merged, .lazilyFreed]) else {
      return nil
    }
    guard object.isWritable, !Mutation.mergedPageWritable.isPlanted else { return object }
    do {
      database.settle(try database.updateAttributes(at: address) { $0.isWritable = false }.takeObligation())
    } catch { return nil }
    return database.find(address)
  }

  /// Runs `body` under the write lock of the page at `address`.
  @inlinable
  func withPageLock<Result>(
    _ space: Space<Database>, _ address: VirtualAddress, _ body: () -> Result
  ) -> Result {
    let mark = meter.enter(.rangeOperation)
    defer { meter.leave(mark) }
    let database = space.database
    let size = hugePageCounts.isInUse ? hugeSize : .base
    var lock = database.rangeLock(over: VirtualRange(page: address, size))
    database.lockForWriting(&lock)
    defer {
      database.unlock(&lock)
      database.putLock(lock)
    }
    return body()
  }

  /// Puts the merged page in `target` in place of the page at `address`, if they are equal, byte by byte.
  @inlinable
  func merge(
    _ space: Space<Database>, _ address: VirtualAddress, into target: FrameNumber, _ node: UInt64
  ) -> Bool {
    guard let index = space.layout.areas.index(of: address) else { return false }
    let key = key(space, index, at: address)
    return withPageLock(space, address) {
      guard let object = protectForMerging(space, address), isEqual(object.frame, target) else {
        return false
      }
      samePages.add(key, to: node)
      var merged = object
      merged.frame = target
      guard replaceForMerging(space, object.frame, by: merged) else { return false }
      platform.frames.table.addMapping(target)
      release([object.frame])
      return true
    }
  }

  /// Puts the shared page of zeroes in place of a page of zeroes.
  @inlinable func mergeWithZeroes(_ space: Space<Database>, _ address: VirtualAddress) -> Bool {
    withPageLock(space, address) {
      guard let object = protectForMerging(space, address), isEqual(object.frame, zeroFrame) else {
        return false
      }
      var merged = object
      merged.frame = zeroFrame
      merged.isSpecial = true
      guard replaceForMerging(space, object.frame, by: merged) else { return false }
      release([object.frame])
      return true
    }
  }

  @usableFromInline func isEqual(_ first: FrameNumber, _ second: FrameNumber) -> Bool {
    platform.memory.order(of: first.address, second.address, bytes: PageSize.base.bytes) == 0
  }

  @inlinable
  func replaceForMerging(_ space: Space<Database>, _ old: FrameNumber, by object: Database.Object) -> Bool {
    do {
      space.database.settle(try space.database.update(object).takeObligation())
    } catch { return false }
    meter.count(.pageReplaced)
    return true
  }

  /// Merges two pages that were found equal: the first one's frame becomes a merged page, which the second one joins.
  @inlinable
  func mergeTwo(
    _ first: (space: Space<Database>, address: VirtualAddress),
    _ second: (space: Space<Database>, address: VirtualAddress), at index: Int
  ) {
    guard let (node, frame) = makeMerged(first.space, first.address) else { return }
    guard merge(second.space, second.address, into: frame, node) else {
      // The translation stays write-protected; the next store to it makes it writable again.
      return unmakeMerged(node, frame)
    }
    samePages.unstable.remove(at: index)
    samePages.enter(node, platform.memory, platform.frames)
    samePages.attach(SamePages.PageID(second.space.number, second.address), to: node)
    samePages.attach(SamePages.PageID(first.space.number, first.address), to: node)
  }

  /// Makes the page at `address` one that others can be merged into. Others that share it since a fork go on doing so.
  /// - Returns: its number and frame; nil where that cannot be.
  @inlinable
  func makeMerged(_ space: Space<Database>, _ address: VirtualAddress) -> (node: UInt64, frame: FrameNumber)?
  {
    withPageLock(space, address) {
      guard let object = protectForMerging(space, address) else { return nil }
      let (frame, table) = (object.frame, platform.frames.table)
      guard table.references(frame) == 0 || leaveSwapCache(frame) else { return nil }
      let node = samePages.makeNode(frame, PageKey(word: table.word(frame)))
      table.setWord(PageKey(merged: node).word, frame)
      table.mark(.merged, frame)
      table.retain(frame)
      return (node, frame)
    }
  }

  /// Takes back `makeMerged`.
  @usableFromInline func unmakeMerged(_ node: UInt64, _ frame: FrameNumber) {
    if let key = samePages.keys(of: node).first { platform.frames.table.setWord(key.word, frame) }
    samePages.unmakeNode(node)
    _ = platform.frames.leaveMerging(frame)
  }
}

extension SamePages {
  /// A page gave way to the shared page of zeroes.
  @usableFromInline func noteZeroPage() { counts.zeroPages += 1 }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

extension RadixTree {
  /// Customizable 19. Reads nothing: the tree must not be read without a lock.
  @inlinable public func rangeLock(over range: VirtualRange) -> RadixLock {
    let region = VirtualRange(page: range.start, .twoMiB)
    return RadixLock(region: !range.isEmpty && region.contains(range) ? region.start : nil)
  }

  /// Customizable 20: one walk and one word for a region. A larger range is held alone even for reading: the writers of
  /// single regions hold the database's lock as readers, so a reader's hold would not keep them out.
  @inlinable public func lockForReading(_ lock: inout RadixLock) {
    let waits = enterRegion(&lock, adding: RadixLock.reader) { word in
      word & RadixLock.writer == 0 && ~word & RadixLock.readers != 0
    }
    noteLocked(waits: waits ?? context.lock.lockForWriting())
    lock.mode = .reading
  }

  /// Customizable 21: one walk and one word for a region.
  @inlinable public func lockForWriting(_ lock: inout RadixLock) {
    let others = Mutation.writerIgnoresReaders.isPlanted ? RadixLock.writer : RadixLock.bits
    let waits = enterRegion(&lock, adding: RadixLock.writer) { $0 & others == 0 }
    noteLocked(waits: waits ?? context.lock.lockForWriting())
    lock.mode = .writing
  }

  /// Customizable 22.
  @inlinable public func unlock(_ lock: inout RadixLock) {
    precondition(lock.mode != .none, "a lock was given up that is not held")
    if lock.word.raw != 0 {
      let held = lock.mode == .writing ? RadixLock.writer : RadixLock.reader
      _ = memory.fetchAdd(0 &- held, at: lock.word)
      lock.word = PhysicalAddress(0)
      context.lock.unlockReading()
    } else {
      context.lock.unlockWriting()
    }
    lock.mode = .none
  }

  /// Customizable 23.
  @inlinable public func putLock(_ lock: consuming RadixLock) {}

  /// Takes the context's lock for reading and adds to the lock bits of the region's word when `isFree` agrees.
  /// - Returns: how often it had to try again; nil when the lock has to be the exclusive form, and nothing is held.
  @inlinable @inline(__always)
  func enterRegion(_ lock: inout RadixLock, adding held: UInt64, when isFree: (UInt64) -> Bool) -> Int? {
    guard let region = lock.region, covers(region) else { return nil }
    var waits = context.lock.lockForReading()
    let slot = walk(region, to: 1)
    guard let word = slot.level == 1 ? slot.word : try? reach(region, 1).word else {
      context.lock.unlockReading()
      return nil
    }
    var seen = memory.loadRelaxed(word)
    while true {
      if isFree(seen) {
        let found = memory.compareExchange(seen, seen &+ held, at: word)
        if found == seen { break }
        seen = found
      } else {
        seen = memory.loadRelaxed(word)
      }
      waits &+= 1
    }
    lock.word = word
    return waits
  }
}

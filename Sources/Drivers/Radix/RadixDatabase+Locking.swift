// SPDX-License-Identifier: MIT
internal import EMTCore
internal import EntryFormats
public import SimMemory

extension RadixDatabase {
  /// Bit 53 of a level-1 word: somebody holds the region alone.
  static var regionWriter: UInt64 { 1 << 53 }
  /// One reader in bits 54–58 of a level-1 word; at most 31, the next one waits.
  static var regionReader: UInt64 { 1 << 54 }
  static var regionReaders: UInt64 { 31 << 54 }

  /// Customizable 19. Reads nothing: the tree must not be read without a lock.
  public func rangeLock(over range: VirtualRange) -> RadixLock {
    let region = VirtualRange(page: range.start, .twoMiB)
    return RadixLock(region: !range.isEmpty && region.contains(range) ? region.start : nil)
  }

  /// Customizable 20: one walk and one word for a region. A larger range is held alone even for reading: the writers of
  /// single regions hold the database's lock as readers, so a reader's hold would not keep them out.
  public func lockForReading(_ lock: inout RadixLock) {
    let waits = enterRegion(&lock, adding: RadixDatabase.regionReader) { word in
      word & RadixDatabase.regionWriter == 0 && ~word & RadixDatabase.regionReaders != 0
    }
    noteLocked(waits: waits ?? context.lock.lockForWriting())
    lock.mode = .reading
  }

  /// Customizable 21: one walk and one word for a region.
  public func lockForWriting(_ lock: inout RadixLock) {
    let waits = enterRegion(&lock, adding: RadixDatabase.regionWriter) { word in
      word & (RadixDatabase.regionWriter | RadixDatabase.regionReaders) == 0
    }
    noteLocked(waits: waits ?? context.lock.lockForWriting())
    lock.mode = .writing
  }

  /// Customizable 22.
  public func unlock(_ lock: inout RadixLock) {
    precondition(lock.mode != .none, "a lock was given up that is not held")
    if lock.word.raw != 0 {
      let held = lock.mode == .writing ? RadixDatabase.regionWriter : RadixDatabase.regionReader
      var seen = memory.loadRelaxed(lock.word)
      while true {
        let found = memory.compareExchange(seen, seen &- held, at: lock.word)
        if found == seen { break }
        seen = found
      }
      lock.word = PhysicalAddress(0)
      context.lock.unlockReading()
    } else {
      context.lock.unlockWriting()
    }
    lock.mode = .none
  }

  /// Customizable 23.
  public func putLock(_ lock: consuming RadixLock) {}

  /// Takes the context's lock for reading and adds to the lock bits of the region's word when `isFree` agrees.
  /// - Returns: how often it had to try again; nil when the lock has to be the exclusive form, and nothing is held.
  private func enterRegion(
    _ lock: inout RadixLock, adding held: UInt64, when isFree: (UInt64) -> Bool
  ) -> Int? {
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

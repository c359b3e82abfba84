// SPDX-License-Identifier: MIT
public import EMTCore
internal import EntryFormats
public import SimMemory

/// A lock over a range: one of the 64 words of a database for a range inside one aligned 2 MiB, else all of it.
@frozen public struct ECPTLock: Sendable, BitwiseCopyable {
  /// How it is held through this value.
  public internal(set) var mode: LockMode
  /// The lock word in the block; zero: the whole database.
  @usableFromInline let word: PhysicalAddress

  init(_ word: PhysicalAddress) {
    mode = .none
    self.word = word
  }

  var coversEverything: Bool { word.raw == 0 }
}

// A small range holds the context's lock for reading and its word in the asked mode; a large one holds the context's
// lock for writing, which excludes every small one. Words belong to addresses, so entries may move under them.
extension ECPTDatabase {
  private static var writer: UInt64 { 1 << 63 }

  /// Customizable 19.
  public func rangeLock(over range: VirtualRange) -> ECPTLock {
    let last = VirtualAddress(range.isEmpty ? range.start.raw : range.end.raw &- 1)
    let region = range.start.aligned(down: .twoMiB)
    guard last.aligned(down: .twoMiB) == region else { return ECPTLock(PhysicalAddress(0)) }
    let index = HashFunction.murmurFinaliser.hash(region.pageNumber) & 63
    return ECPTLock(registers.advanced(by: ECPTWord.locks + index << 3))
  }

  /// Customizable 20. A large range is locked alone even for reading.
  public func lockForReading(_ lock: inout ECPTLock) {
    guard !lock.coversEverything else { return lockForWriting(&lock) }
    var waits = context.lock.lockForReading()
    while true {
      let readers = memory.loadRelaxed(lock.word) & ~ECPTDatabase.writer
      if memory.compareExchange(readers, readers + 1, at: lock.word) == readers { break }
      waits += 1
    }
    noteLocked(waits: waits)
    lock.mode = .reading
  }

  /// Customizable 21.
  public func lockForWriting(_ lock: inout ECPTLock) {
    var waits = 0
    if lock.coversEverything {
      waits = context.lock.lockForWriting()
    } else {
      waits = context.lock.lockForReading()
      while memory.compareExchange(0, ECPTDatabase.writer, at: lock.word) != 0 { waits += 1 }
    }
    noteLocked(waits: waits)
    lock.mode = .writing
  }

  /// Customizable 22.
  public func unlock(_ lock: inout ECPTLock) {
    precondition(lock.mode != .none, "a lock was given up that is not held")
    let mode = lock.mode
    lock.mode = .none
    guard !lock.coversEverything else { return context.lock.unlockWriting() }
    change(lock.word) { mode == .writing ? 0 : $0 - 1 }
    context.lock.unlockReading()
  }

  /// Customizable 23.
  public func putLock(_ lock: consuming ECPTLock) {}
}

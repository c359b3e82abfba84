// SPDX-License-Identifier: MIT
public import EMTCore
public import Mutations
public import SimMemory

/// A lock over a range: one of the 64 words of a database for a range inside one aligned 2 MiB, else all of it.
@frozen public struct ClusterLock: Sendable, BitwiseCopyable {
  /// How it is held through this value.
  public var mode: LockMode
  /// The lock word in the block; zero: the whole database.
  @usableFromInline let word: PhysicalAddress

  @inlinable init(_ word: PhysicalAddress) {
    mode = .none
    self.word = word
  }

  @inlinable var coversEverything: Bool { word.raw == 0 }
  @inlinable static var writer: UInt64 { 1 &<< 63 }
}

// A small range holds the context's lock for reading and its word in the asked mode; a large one holds the context's
// lock for writing, which excludes every small one. Words belong to addresses, so entries may move under them.
extension ClusterTable {
  /// Customizable 19.
  @inlinable public func rangeLock(over range: VirtualRange) -> ClusterLock {
    let last = VirtualAddress(range.isEmpty ? range.start.raw : range.end.raw &- 1)
    let region = range.start.aligned(down: .twoMiB)
    guard last.aligned(down: .twoMiB) == region else { return ClusterLock(PhysicalAddress(0)) }
    // Fibonacci hashing (Knuth, TAOCP vol. 3 §6.4): neighbours get different words, and it is one multiplication.
    let number = Mutation.lockWordByPage.isPlanted ? range.start.pageNumber : region.pageNumber &>> 9
    let index = (number &* 0x9E37_79B9_7F4A_7C15) &>> 58
    return ClusterLock(block.advanced(by: Self.lockWords &+ index &<< 3))
  }

  /// Customizable 20. A large range is locked alone even for reading.
  @inlinable public func lockForReading(_ lock: inout ClusterLock) {
    guard !lock.coversEverything else { return lockForWriting(&lock) }
    var waits = context.lock.lockForReading()
    while true {
      let readers = memory.loadRelaxed(lock.word) & ~ClusterLock.writer
      if memory.compareExchange(readers, readers &+ 1, at: lock.word) == readers { break }
      waits &+= 1
    }
    noteLocked(waits: waits)
    lock.mode = .reading
  }

  /// Customizable 21.
  @inlinable public func lockForWriting(_ lock: inout ClusterLock) {
    var waits = 0
    if lock.coversEverything {
      waits = context.lock.lockForWriting()
    } else {
      waits = context.lock.lockForReading()
      while memory.compareExchange(0, ClusterLock.writer, at: lock.word) != 0 { waits &+= 1 }
    }
    noteLocked(waits: waits)
    lock.mode = .writing
  }

  /// Customizable 22.
  @inlinable public func unlock(_ lock: inout ClusterLock) {
    precondition(lock.mode != .none, "a lock was given up that is not held")
    let mode = lock.mode
    lock.mode = .none
    guard !lock.coversEverything else { return context.lock.unlockWriting() }
    if mode == .writing {
      memory.storeRelease(0, at: lock.word)
    } else {
      change(lock.word) { $0 &- 1 }
    }
    context.lock.unlockReading()
  }

  /// Customizable 23.
  @inlinable public func putLock(_ lock: consuming ClusterLock) {}
}

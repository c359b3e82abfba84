// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory

/// Where the software's own words are in the descriptor's frame, behind what the hardware reads.
@usableFromInline enum HashedWord {
  /// Clusters in use.
  @inlinable static func live(_ table: Int) -> UInt64 { 128 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// Dead slots in the array that new clusters go to.
  @inlinable static func dead(_ table: Int) -> UInt64 { 152 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// The array that is being cleared, to become the next one.
  @inlinable static func preparing(_ table: Int) -> UInt64 { 176 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// How many of its frames are clear.
  @inlinable static func cleared(_ table: Int) -> UInt64 { 200 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// One bit for each table that is being resized.
  @inlinable static var resizing: UInt64 { 224 }
  /// The first of 64 range locks.
  @inlinable static var locks: UInt64 { 256 }
}

extension HashedDatabase {
  @inlinable @inline(__always) var memory: PhysicalMemory { context.platform.memory }

  /// A word of the descriptor's frame.
  @inlinable @inline(__always) func word(_ offset: UInt64) -> UInt64 {
    memory.loadAcquire(descriptor.advanced(by: offset))
  }

  /// Changes a word of the descriptor's frame, after everything before.
  @inlinable func set(_ offset: UInt64, _ value: UInt64) {
    memory.storeRelease(value, at: descriptor.advanced(by: offset))
  }

  /// Adds to a word of the descriptor's frame; the structure lock is held alone.
  @inlinable @discardableResult func add(_ value: Int64, to offset: UInt64) -> UInt64 {
    let sum = word(offset) &+ UInt64(bitPattern: value)
    set(offset, sum)
    return sum
  }

  @inlinable @inline(__always) func current(_ table: Int) -> HashedArray {
    HashedArray(word: word(HashedDescriptor.current(table)))
  }

  @inlinable @inline(__always) func next(_ table: Int) -> HashedArray {
    HashedArray(word: word(HashedDescriptor.next(table)))
  }

  /// The array of `table` that lies in the descriptor's frame.
  @usableFromInline func embedded(_ table: Int) -> HashedArray {
    switch table {
    case 0: HashedArray(base: descriptor.advanced(by: 2048), log2: 5)
    case 1: HashedArray(base: descriptor.advanced(by: 1024), log2: 4)
    default: HashedArray(base: descriptor.advanced(by: 768), log2: 2)
    }
  }

  @usableFromInline func isEmbedded(_ array: HashedArray) -> Bool { array.base.frame == descriptor.frame }

  /// Every array that `table` has now.
  func arrays(_ table: Int) -> [HashedArray] {
    let preparing = HashedArray(word: word(HashedWord.preparing(table)))
    return [current(table), next(table), preparing].filter(\.exists)
  }

  @usableFromInline var structure: LockWord { context.platform.frames.table.lock(descriptor.frame) }

  /// Runs `body` while no cluster moves. Others may store into other entries.
  @inlinable @inline(__always)
  func shared<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let lock = structure
    noteLocked(waits: lock.lockForReading())
    defer { lock.unlockReading() }
    return try body()
  }

  /// Runs `body` while nobody else stores into the tables.
  @inlinable @inline(__always)
  func alone<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let lock = structure
    noteLocked(waits: lock.lockForWriting())
    defer { lock.unlockWriting() }
    return try body()
  }

  /// Tells walkers and holders of locations that clusters are about to leave their slots.
  @inlinable func announceMove() {
    add(1, to: HashedDescriptor.version)
    context.advanceGeneration()
  }
}

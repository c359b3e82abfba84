// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory

/// Where the software's own words are in the block, beside what the hardware reads.
@usableFromInline enum ECPTWord {
  /// The first of 64 range locks.
  @inlinable static var locks: UInt64 { 512 }
  @inlinable static func row(_ table: Int) -> UInt64 { 1024 &+ UInt64(truncatingIfNeeded: table) &<< 6 }
  /// Clusters in use.
  @inlinable static func live(_ table: Int) -> UInt64 { row(table) }
  /// The array that is being cleared, to become the successor of the way in `resized`.
  @inlinable static func preparing(_ table: Int) -> UInt64 { row(table) &+ 8 }
  /// How many of its frames are clear.
  @inlinable static func cleared(_ table: Int) -> UInt64 { row(table) &+ 16 }
  /// One plus the way that is being resized; zero: none.
  @inlinable static func resized(_ table: Int) -> UInt64 { row(table) &+ 24 }
  /// Not zero: the migration goes back to the larger array.
  @inlinable static func isReturning(_ table: Int) -> UInt64 { row(table) &+ 32 }
  /// The table shrinks only below this number of clusters; zero: no such limit.
  @inlinable static func limit(_ table: Int) -> UInt64 { row(table) &+ 40 }
  /// One bit for each table that is being resized or has a stash.
  @inlinable static var busy: UInt64 { 1344 }
  /// How many summaries there are.
  @inlinable static var summaries: UInt64 { 1352 }
  /// Lists of summaries.
  @inlinable static var buckets: UInt64 { 64 }
  @inlinable static func bucket(_ index: UInt64) -> UInt64 { 1536 &+ index &<< 3 }
}

extension ECPTDatabase {
  @inlinable @inline(__always) var memory: PhysicalMemory { context.platform.memory }

  /// A word of the block.
  @inlinable @inline(__always) func word(_ offset: UInt64) -> UInt64 {
    memory.loadAcquire(registers.advanced(by: offset))
  }

  /// Changes a word of the block, after everything before.
  @inlinable @inline(__always) func set(_ offset: UInt64, _ value: UInt64) {
    memory.storeRelease(value, at: registers.advanced(by: offset))
  }

  /// Adds to a word of the block in one step.
  @inlinable func add(_ value: Int64, to offset: UInt64) {
    change(registers.advanced(by: offset)) { $0 &+ UInt64(bitPattern: value) }
  }

  /// Replaces a word by what `body` makes of it, in one step.
  /// - Returns: the word before.
  @inlinable @inline(__always) @discardableResult
  func change(_ place: PhysicalAddress, _ body: (UInt64) -> UInt64) -> UInt64 {
    var old = memory.loadAcquire(place)
    while true {
      let seen = memory.compareExchange(old, body(old), at: place)
      if seen == old { return old }
      old = seen
    }
  }

  @inlinable @inline(__always) func current(_ table: Int, _ way: Int) -> ECPTWay {
    ECPTWay(word: word(ECPTRegisters.current(table, way)))
  }

  @inlinable @inline(__always) func next(_ table: Int, _ way: Int) -> ECPTWay {
    ECPTWay(word: word(ECPTRegisters.next(table, way)))
  }

  /// Changes a way register; hardware reads the image again.
  func setRegister(_ table: Int, _ way: Int, _ value: ECPTWay) {
    set(ECPTRegisters.current(table, way), value.word)
    set(ECPTRegisters.epoch, word(ECPTRegisters.epoch) &+ 1)
  }

  /// The array of a way that lies in the block.
  @usableFromInline func nursery(_ table: Int, _ way: Int) -> ECPTWay {
    let log2: UInt64 = [3, 2, 1, 2, 1][table]
    let start: UInt64 = [4096, 5632, 6400, 6784, 7552][table]
    return ECPTWay(base: registers.advanced(by: start + UInt64(way) * 64 << log2), log2: log2)
  }

  func isNursery(_ array: ECPTWay) -> Bool { array.base.frame.raw == registers.frame.raw + 1 }

  /// Every array that `table` has now.
  func arrays(_ table: Int) -> [ECPTWay] {
    var arrays = [ECPTWay(word: word(ECPTWord.preparing(table)))]
    for way in 0..<ECPTFormat.ways { arrays += [current(table, way), next(table, way)] }
    return arrays.filter(\.exists)
  }

  @usableFromInline var structure: LockWord { context.platform.frames.table.lock(registers.frame) }

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

  /// Tells walkers and holders of locations that what they know of slots is about to be wrong.
  @inlinable func announceMove() {
    set(ECPTRegisters.version, word(ECPTRegisters.version) &+ 1)
    context.advanceGeneration()
  }

  /// Notes whether `table` needs steps.
  func note(_ table: Int) {
    let needs = word(ECPTWord.resized(table)) != 0 || word(ECPTRegisters.stash) >> UInt64(table) & 1 != 0
    let bit: UInt64 = 1 << UInt64(table)
    let others = word(ECPTWord.busy) & ~bit
    set(ECPTWord.busy, needs ? others | bit : others)
  }
}

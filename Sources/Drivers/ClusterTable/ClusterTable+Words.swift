// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import Mutations
public import SimMemory

extension ClusterTable {
  /// The arena.
  @inlinable @inline(__always) public var memory: PhysicalMemory { context.platform.memory }

  /// A word of the block.
  @inlinable @inline(__always) public func word(_ offset: UInt64) -> UInt64 {
    memory.loadAcquire(block.advanced(by: offset))
  }

  /// Changes a word of the block, after everything before.
  @inlinable @inline(__always) public func set(_ offset: UInt64, _ value: UInt64) {
    memory.storeRelease(value, at: block.advanced(by: offset))
  }

  /// Adds to a word of the block in one step.
  /// - Returns: the sum.
  @inlinable @discardableResult public func add(_ value: Int64, to offset: UInt64) -> UInt64 {
    let value = UInt64(bitPattern: value)
    return memory.fetchAdd(value, at: block.advanced(by: offset)) &+ value
  }

  /// Replaces a word by what `body` makes of it, in one step.
  /// - Returns: the word before.
  @inlinable @inline(__always) @discardableResult
  public func change(_ place: PhysicalAddress, _ body: (UInt64) -> UInt64) -> UInt64 {
    var old = memory.loadAcquire(place)
    while true {
      let seen = memory.compareExchange(old, body(old), at: place)
      if seen == old { return old }
      old = seen
    }
  }

  /// Runs `body` while no cluster moves. Others may store into other entries.
  @inlinable @inline(__always)
  public func shared<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let lock = context.platform.frames.table.lock(block.frame)
    noteLocked(waits: lock.lockForReading())
    defer { lock.unlockReading() }
    return try body()
  }

  /// Runs `body` while nobody else stores into the tables.
  @inlinable @inline(__always)
  public func alone<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    let lock = context.platform.frames.table.lock(block.frame)
    if Mutation.structureLockNotTaken.isPlanted { return try body() }
    noteLocked(waits: lock.lockForWriting())
    defer { lock.unlockWriting() }
    return try body()
  }

  /// Tells walkers and holders of locations that what they know of slots is about to be wrong.
  @inlinable public func announceMove() {
    if Mutation.moveNotAnnounced.isPlanted { return }
    set(Self.versionWord, word(Self.versionWord) &+ 1)
    context.advanceGeneration()
  }

  /// Copies a cluster to a slot that holds nothing; the word that makes it valid comes last.
  @inlinable public func copy(_ source: PhysicalAddress, to target: PhysicalAddress) {
    context.meter.count(.clusterMove)
    for offset in stride(from: 0, to: ClusterFormat.bytes, by: 8) {
      memory.storeRelease(memory.loadAcquire(source.advanced(by: offset)), at: target.advanced(by: offset))
    }
  }

  /// Empties the slot of a copied cluster, valid word first, and passes on what the walker set in it after it was copied.
  /// - Parameter mark: what stays in the last word.
  @inlinable
  public func empty(_ source: PhysicalAddress, leaving mark: UInt64 = 0, keeping target: PhysicalAddress) {
    announceMove()
    for offset in stride(from: Int64(ClusterFormat.markOffset), through: 0, by: -8) {
      let entry = source.advanced(by: UInt64(offset))
      let taken = memory.exchange(UInt64(offset) == ClusterFormat.markOffset ? mark : 0, at: entry)
      let copy = target.advanced(by: UInt64(offset))
      let missed = taken & ~memory.loadRelaxed(copy) & (X86Entry.accessed | X86Entry.dirty)
      if missed != 0 { _ = memory.fetchOr(missed, at: copy) }
    }
    // Who found the source since the announcement must not keep its place either.
    if !Mutation.moveNotAnnounced.isPlanted { context.advanceGeneration() }
  }
}

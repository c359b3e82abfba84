// SPDX-License-Identifier: MIT
public import Synchronization

/// A readers-writer spin lock in one 64-bit word.
///
/// Bit 63 is the writer, the lower bits count readers. Waiting is spinning: critical sections are some
/// dozens of instructions and simulated CPUs are few.
///
/// SAFETY: the word outlives the handle.
@safe @frozen public struct LockWord: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt64>>

  /// Uses `word`, which starts at zero and outlives the handle.
  @inlinable public init(_ word: UnsafeMutablePointer<Atomic<UInt64>>) { unsafe self.word = unsafe word }

  @inlinable static var writer: UInt64 { 1 &<< 63 }

  /// Waits until nobody holds the lock, then holds it alone.
  /// - Returns: how often it had to try again.
  @inlinable @discardableResult public func lockForWriting() -> Int {
    var turns = 0
    while true {
      let (done, _) = unsafe word.pointee.weakCompareExchange(
        expected: 0, desired: LockWord.writer, successOrdering: .acquiring, failureOrdering: .relaxed)
      if done { return turns }
      turns &+= 1
    }
  }

  /// Waits until no writer holds the lock, then holds it beside other readers.
  /// - Returns: how often it had to try again.
  @inlinable @discardableResult public func lockForReading() -> Int {
    var turns = 0
    while true {
      let seen = unsafe word.pointee.load(ordering: .relaxed) & ~LockWord.writer
      let (done, _) = unsafe word.pointee.weakCompareExchange(
        expected: seen, desired: seen &+ 1, successOrdering: .acquiring, failureOrdering: .relaxed)
      if done { return turns }
      turns &+= 1
    }
  }

  /// Gives up a lock held for writing.
  @inlinable public func unlockWriting() { unsafe word.pointee.store(0, ordering: .releasing) }

  /// Gives up a lock held for reading.
  @inlinable public func unlockReading() {
    unsafe _ = word.pointee.wrappingSubtract(1, ordering: .releasing)
  }

  /// Whether anybody holds the lock now; for invariants and tests.
  @inlinable public var isHeld: Bool { unsafe word.pointee.load(ordering: .relaxed) != 0 }
}

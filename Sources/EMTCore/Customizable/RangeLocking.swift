// SPDX-License-Identifier: MIT
public import SimMemory

/// How a lock is held.
@frozen public enum LockMode: UInt8, Sendable, BitwiseCopyable {
  /// Not held.
  case none
  /// Held beside other readers.
  case reading
  /// Held alone.
  case writing
}

/// The neutral lock: the one of the database's context, whatever the range.
@frozen public struct DatabaseLock: Sendable, BitwiseCopyable {
  /// How it is held through this value.
  public var mode: LockMode
  /// Not held yet.
  @inlinable public init() { mode = .none }
}

/// Customizable functions 19–23: locks that cover a range of addresses. EMT paper: `addr_range_*_lock`.
///
/// Two locks that cover a common address exclude each other, unless both are held for reading. A CPU holds at most one
/// lock of a database at a time, so that no order is needed. Locks survive entries that move.
public protocol RangeLocking: TranslationDatabaseBasics {
  /// The driver's lock.
  associatedtype Lock: Sendable, BitwiseCopyable = DatabaseLock

  /// Customizable 19: a lock that covers `range`, not held yet.
  func rangeLock(over range: VirtualRange) -> Lock

  /// Customizable 20: waits until nobody writes, then holds the lock for reading.
  func lockForReading(_ lock: inout Lock)

  /// Customizable 21: waits until nobody holds it, then holds the lock for writing.
  func lockForWriting(_ lock: inout Lock)

  /// Customizable 22: gives the lock up.
  func unlock(_ lock: inout Lock)

  /// Customizable 23: ends the use of a lock that is not held.
  func putLock(_ lock: consuming Lock)
}

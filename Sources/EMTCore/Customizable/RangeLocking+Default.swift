// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

extension RangeLocking where Lock == DatabaseLock {
  /// Default: the database's one lock.
  @inlinable public func rangeLock(over range: VirtualRange) -> DatabaseLock { DatabaseLock() }

  /// Default: the context's lock.
  @inlinable public func lockForReading(_ lock: inout DatabaseLock) {
    noteLocked(waits: context.lock.lockForReading())
    lock.mode = .reading
  }

  /// Default: the context's lock.
  @inlinable public func lockForWriting(_ lock: inout DatabaseLock) {
    if Mutation.writerSharesLock.isPlanted { return lockForReading(&lock) }
    noteLocked(waits: context.lock.lockForWriting())
    lock.mode = .writing
  }

  /// Default: the context's lock.
  @inlinable public func unlock(_ lock: inout DatabaseLock) {
    switch lock.mode {
    case .none: preconditionFailure("a lock was given up that is not held")
    case .reading: context.lock.unlockReading()
    case .writing: context.lock.unlockWriting()
    }
    lock.mode = .none
  }

  /// Default: nothing.
  @inlinable public func putLock(_ lock: consuming DatabaseLock) {}
}

extension RangeLocking {
  /// Counts a lock that was taken after `waits` failed tries.
  @inlinable public func noteLocked(waits: Int) {
    context.meter.count(.lock)
    if waits != 0 { context.meter.count(.lockWait, UInt64(waits)) }
  }
}

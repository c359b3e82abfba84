// SPDX-License-Identifier: MIT
internal import Mutations
internal import SimMemory
public import Synchronization

/// Where other CPUs leave invalidations for one CPU (the interrupt of a TLB shootdown, as memory).
///
/// Holds 32 requests; one more turns into "forget everything". The machine takes them before the CPU's next
/// translation, so a change is settled when the request is in the box.
///
/// SAFETY: the platform that made the box outlives it; `lock` guards the rest.
@safe @frozen public struct InvalidationMailbox: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline struct State: ~Copyable {
    @usableFromInline let lock = Atomic<UInt64>(0)
    @usableFromInline let pending = Atomic<UInt64>(0)
    @usableFromInline var count = 0
    @usableFromInline var hasOverflowed = false
    @usableFromInline var requests = InlineArray<32, Invalidation>(
      repeating: Invalidation(scope: .everyone, range: nil))
  }
  @usableFromInline let state: UnsafeMutablePointer<State>

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  func release() {
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  /// Whether there is anything to take.
  @inlinable public var isEmpty: Bool { unsafe state.pointee.pending.load(ordering: .acquiring) == 0 }

  /// Leaves a request.
  public func post(_ request: Invalidation) {
    lock.lockForWriting()
    defer { lock.unlockWriting() }
    if unsafe state.pointee.count < 32 {
      unsafe state.pointee.requests[state.pointee.count] = request
      unsafe state.pointee.count += 1
    } else if !Mutation.mailboxOverflowForgotten.isPlanted {
      unsafe state.pointee.hasOverflowed = true
    }
    unsafe state.pointee.pending.store(1, ordering: .releasing)
  }

  /// Takes all requests, oldest first. After an overflow that is one request for everything.
  public func drain(_ body: (Invalidation) -> Void) {
    guard !isEmpty else { return }
    lock.lockForWriting()
    defer { lock.unlockWriting() }
    if unsafe state.pointee.hasOverflowed {
      body(Invalidation(scope: .everyone, range: nil))
    } else {
      for index in 0..<(unsafe state.pointee.count) { body(unsafe state.pointee.requests[index]) }
    }
    unsafe state.pointee.count = 0
    unsafe state.pointee.hasOverflowed = false
    unsafe state.pointee.pending.store(0, ordering: .releasing)
  }

  private var lock: LockWord {
    unsafe LockWord(UnsafeMutableRawPointer(state).assumingMemoryBound(to: Atomic<UInt64>.self))
  }
}

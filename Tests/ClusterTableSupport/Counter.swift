// SPDX-License-Identifier: MIT
internal import Synchronization

/// A number that threads count up.
public final class Counter: Sendable {
  private let value = Atomic(0)
  /// Starts at zero.
  public init() {}
  /// The count so far.
  public var sum: Int { value.load(ordering: .relaxed) }
  /// One more.
  public func add() { value.add(1, ordering: .relaxed) }
}

/// A small generator of pseudo-random numbers (Marsaglia's xorshift64*).
public struct Random: RandomNumberGenerator {
  private var state: UInt64
  /// The same numbers for the same seed.
  public init(_ seed: UInt64) { state = seed | 1 }
  /// The next number.
  public mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }
}

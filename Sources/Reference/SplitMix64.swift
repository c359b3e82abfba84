// SPDX-License-Identifier: MIT

/// A small, fast generator with a repeatable sequence (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", 2014). Same seed, same numbers, on every machine.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  @usableFromInline var state: UInt64

  /// A generator that starts at `seed`.
  @inlinable public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  @inlinable public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`. The bias is below 2^-32 for the small bounds of tests.
  @inlinable public mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

  /// Whether an event of probability 1 in `odds` happened.
  @inlinable public mutating func oneIn(_ odds: UInt64) -> Bool { below(odds) == 0 }

  /// One of `choices`, which is not empty.
  @inlinable public mutating func pick<Element>(_ choices: [Element]) -> Element {
    choices[Int(below(UInt64(choices.count)))]
  }
}

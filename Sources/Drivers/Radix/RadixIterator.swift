// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// A cursor that remembers the leaf node it is in, so that the next entry is one read away.
@frozen public struct RadixIterator: TranslationIterator {
  /// The next address to look at.
  public var position: VirtualAddress
  /// Where the iteration ends.
  public let end: VirtualAddress
  /// The leaf node, the number of its 2 MiB region, and the generation in which that was right.
  @usableFromInline var leaf = PhysicalAddress(0)
  @usableFromInline var region = ~UInt64(0)
  @usableFromInline var generation: UInt64 = 0
  /// What the meter has not been told yet: entries looked at, nodes gone to.
  @usableFromInline var steps: UInt64 = 0
  @usableFromInline var walks: UInt64 = 0

  /// Starts at the start of `range`.
  @inlinable public init(over range: VirtualRange) {
    (position, end) = (range.start, range.end)
  }

  @inlinable @inline(__always) var range: VirtualRange { VirtualRange(position, end) }

  @inlinable mutating func remember(_ leaf: PhysicalAddress, _ generation: UInt64) {
    (self.leaf, self.generation, region) = (leaf, generation, position.raw &>> 21)
  }
}

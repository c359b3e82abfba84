// SPDX-License-Identifier: MIT

/// Where the contents of a page that is not in memory are: a swap area and a slot in it, or a marker that the
/// memory manager defines (migration, poison) as an area number of its own.
@frozen public struct SwapEntry: Hashable, Sendable, BitwiseCopyable {
  /// The swap area, 0 to 30.
  public let area: UInt8
  /// The slot, in base pages from the area's start.
  public let offset: UInt64

  /// A place in swap; `area` is at most 30 and `offset` below 2^43.
  @inlinable public init(area: UInt8, offset: UInt64) {
    self.area = area
    self.offset = offset
  }

  /// Bits for the offset in the packed form.
  @inlinable public static var offsetBits: UInt64 { 43 }

  /// The value of the `swapEntry` attribute: never zero.
  @inlinable public var packed: UInt64 {
    (UInt64(area) &+ 1) &<< SwapEntry.offsetBits | offset
  }

  /// Unpacks an attribute value; nil for zero.
  @inlinable public init?(packed: UInt64) {
    guard packed != 0 else { return nil }
    area = UInt8(truncatingIfNeeded: packed &>> SwapEntry.offsetBits) &- 1
    offset = packed & ((1 &<< SwapEntry.offsetBits) &- 1)
  }
}

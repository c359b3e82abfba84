// SPDX-License-Identifier: MIT

/// A half-open range of virtual addresses.
@frozen public struct VirtualRange: Hashable, Sendable, BitwiseCopyable {
  /// The first address of the range.
  public var start: VirtualAddress
  /// The first address behind the range.
  public var end: VirtualAddress

  /// A range from `start` up to, not including, `end`; `start` is not above `end`.
  @inlinable public init(_ start: VirtualAddress, _ end: VirtualAddress) {
    self.start = start
    self.end = end
  }

  /// A range of `bytes` from `start`.
  @inlinable public init(_ start: VirtualAddress, bytes: UInt64) {
    self.init(start, start.advanced(by: bytes))
  }

  /// The page of `size` that holds `address`.
  @inlinable public init(page address: VirtualAddress, _ size: PageSize) {
    self.init(address.aligned(down: size), bytes: size.bytes)
  }

  /// The length in bytes.
  @inlinable public var bytes: UInt64 { end.raw &- start.raw }

  /// The length in base pages, rounded down.
  @inlinable public var pages: UInt64 { bytes &>> UInt64(PageSize.baseShift) }

  /// Whether the range holds no address.
  @inlinable public var isEmpty: Bool { start >= end }

  /// Whether `address` lies in the range.
  @inlinable public func contains(_ address: VirtualAddress) -> Bool { address >= start && address < end }

  /// Whether all of `other` lies in the range.
  @inlinable public func contains(_ other: VirtualRange) -> Bool { other.start >= start && other.end <= end }

  /// Whether the two ranges share an address.
  @inlinable public func overlaps(_ other: VirtualRange) -> Bool { start < other.end && other.start < end }

  /// The addresses in both ranges; empty when there are none.
  @inlinable public func intersection(_ other: VirtualRange) -> VirtualRange {
    let low = Swift.max(start, other.start)
    return VirtualRange(low, Swift.max(low, Swift.min(end, other.end)))
  }
}

extension VirtualRange: CustomStringConvertible {
  /// Start and end, as `/proc/self/maps` prints them.
  public var description: String {
    String(start.raw, radix: 16) + "-" + String(end.raw, radix: 16)
  }
}

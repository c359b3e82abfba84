// SPDX-License-Identifier: MIT

/// A power-of-two span of memory: the size of a page, or of a void that a driver knows about.
@frozen public struct PageSize: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The binary logarithm of the size in bytes, 12 for a base page.
  public let shift: UInt8

  /// A size of `1 << shift` bytes. `shift` is between 0 and 63.
  @inlinable public init(shift: UInt8) { self.shift = shift }

  /// The shift of a base page, usable as a constant.
  @inlinable public static var baseShift: UInt8 { 12 }

  /// 4 KiB.
  @inlinable public static var base: PageSize { PageSize(shift: 12) }

  /// 2 MiB.
  @inlinable public static var twoMiB: PageSize { PageSize(shift: 21) }

  /// 1 GiB.
  @inlinable public static var oneGiB: PageSize { PageSize(shift: 30) }

  /// The size in bytes.
  @inlinable public var bytes: UInt64 { 1 &<< UInt64(shift) }

  /// `bytes - 1`: the offset bits.
  @inlinable public var mask: UInt64 { bytes &- 1 }

  /// The size in base pages; zero below a base page.
  @inlinable public var basePages: UInt64 { bytes &>> UInt64(PageSize.baseShift) }

  /// The buddy order of a frame block of this size.
  @inlinable public var order: Int { Int(shift) &- Int(PageSize.baseShift) }

  /// Smaller sizes first.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.shift < b.shift }
}

extension PageSize: CustomStringConvertible {
  /// Size with a binary unit: `4 KiB`, `2 MiB`, `1 GiB`.
  public var description: String {
    switch shift {
    case 0..<10: "\(bytes) B"
    case 10..<20: "\(bytes >> 10) KiB"
    case 20..<30: "\(bytes >> 20) MiB"
    case 30..<40: "\(bytes >> 30) GiB"
    default: "\(bytes >> 40) TiB"
    }
  }
}

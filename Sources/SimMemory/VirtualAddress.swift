// SPDX-License-Identifier: MIT

/// An address as a program uses it, in bytes. Canonical form is the business of the driver and the walker.
@frozen public struct VirtualAddress: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The address in bytes.
  public var raw: UInt64

  /// Wraps a byte address.
  @inlinable public init(_ raw: UInt64) { self.raw = raw }

  /// The number of the 4 KiB page that holds the address.
  @inlinable public var pageNumber: UInt64 { raw &>> UInt64(PageSize.baseShift) }

  /// The last multiple of `size` that is not above the address.
  @inlinable public func aligned(down size: PageSize) -> Self { Self(raw & ~size.mask) }

  /// Whether the address is a multiple of `size`.
  @inlinable public func isAligned(to size: PageSize) -> Bool { raw & size.mask == 0 }

  /// The distance in bytes from the start of the page of `size` that holds the address.
  @inlinable public func offset(in size: PageSize) -> UInt64 { raw & size.mask }

  /// The address `bytes` further on; wraps at the end of the address space.
  @inlinable public func advanced(by bytes: UInt64) -> Self { Self(raw &+ bytes) }

  /// Byte order.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

extension VirtualAddress: CustomStringConvertible {
  /// Hexadecimal with `0x`, as the kernel prints it.
  public var description: String { "0x" + String(raw, radix: 16) }
}

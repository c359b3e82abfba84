// SPDX-License-Identifier: MIT
public import SimMemory

/// The set of page sizes that a service offers.
@frozen public struct PageSizes: Sendable, Equatable, BitwiseCopyable {
  /// Bit n stands for pages of 2^n bytes.
  @usableFromInline let shifts: UInt64

  /// A set of sizes; it holds the base page.
  public init(_ sizes: PageSize...) {
    shifts = sizes.reduce(1 << UInt64(PageSize.baseShift)) { $0 | 1 << UInt64($1.shift) }
  }

  /// Whether `size` is offered.
  @inlinable public func contains(_ size: PageSize) -> Bool { shifts &>> UInt64(size.shift) & 1 == 1 }

  /// The largest size offered.
  @inlinable public var largest: PageSize {
    PageSize(shift: UInt8(truncatingIfNeeded: 63 &- shifts.leadingZeroBitCount))
  }

  /// The next smaller size offered, nil below the base page.
  @inlinable public func smaller(than size: PageSize) -> PageSize? {
    // Bit n of the set stands for shift n, so the smaller sizes are the bits below `size.shift`.
    let smaller = shifts & ((1 &<< UInt64(size.shift)) &- 1)
    guard smaller != 0 else { return nil }
    return PageSize(shift: UInt8(truncatingIfNeeded: 63 &- smaller.leadingZeroBitCount))
  }

  /// All sizes, smallest first.
  public var all: [PageSize] { (0..<64).filter { shifts >> $0 & 1 == 1 }.map { PageSize(shift: UInt8($0)) } }
}

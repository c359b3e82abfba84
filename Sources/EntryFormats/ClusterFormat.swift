// SPDX-License-Identifier: MIT
public import SimMemory

/// What page tables made of clusters have in common: 64 bytes, eight entries for eight consecutive pages of one size.
///
/// Three tables, one for each page size, by number: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB. A cluster's number is its
/// address bits from 15, 24 or 33 up to 47, so user and kernel clusters never match.
@frozen public enum ClusterFormat {
  /// How many page sizes, and so tables, there are.
  @inlinable public static var tables: Int { 3 }
  /// Bytes of a cluster: one cache line.
  @inlinable public static var bytes: UInt64 { 64 }
  /// Where in a cluster the entry is that says whether the cluster holds anything, in bytes.
  @inlinable public static var markOffset: UInt64 { 56 }
  /// Bits of an address that are translated; the bits above repeat the highest one.
  @inlinable public static var addressBits: UInt64 { 48 }

  /// The page size of `table`.
  @inlinable @inline(__always) public static func pageSize(_ table: Int) -> PageSize {
    PageSize(shift: UInt8(truncatingIfNeeded: 12 &+ 9 &* table))
  }

  /// The span of one cluster of `table`.
  @inlinable @inline(__always) public static func span(_ table: Int) -> PageSize {
    PageSize(shift: UInt8(truncatingIfNeeded: 15 &+ 9 &* table))
  }

  /// The table for pages of `size`, nil where there is none.
  @inlinable public static func table(for size: PageSize) -> Int? {
    switch size.shift {
    case 12: 0
    case 21: 1
    case 30: 2
    default: nil
    }
  }

  /// The number of the cluster of `table` for `address`: its tag and what is hashed.
  @inlinable @inline(__always)
  public static func number(_ address: VirtualAddress, _ table: Int) -> UInt64 {
    (address.raw & ((1 &<< addressBits) &- 1)) &>> UInt64(span(table).shift)
  }

  /// Where in its cluster the entry for `address` is, in bytes.
  @inlinable @inline(__always)
  public static func entryOffset(_ address: VirtualAddress, _ table: Int) -> UInt64 {
    (address.raw &>> UInt64(pageSize(table).shift) & 7) &<< 3
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// The shape of an x86-64 radix tree: nodes of 512 eight-byte entries, nine address bits a level.
///
/// Levels count from the leaves: level 0 maps 4 KiB, 1 maps 2 MiB, 2 maps 1 GiB, 3 is the root of four levels.
@frozen public enum RadixFormat {
  /// Entries in a node.
  @inlinable public static var entries: UInt64 { 512 }
  /// The highest level at which an entry may map a page (1 GiB).
  @inlinable public static var highestLeafLevel: Int { 2 }
  /// The root's level in a four-level tree.
  @inlinable public static var rootLevel: Int { 3 }
  /// Bits of a virtual address that a four-level tree translates.
  @inlinable public static var addressBits: UInt64 { 48 }

  /// The span of one entry at `level`.
  @inlinable public static func span(_ level: Int) -> PageSize {
    PageSize(shift: UInt8(truncatingIfNeeded: 12 &+ 9 &* level))
  }

  /// Where in a node at `level` the entry for `address` is, in bytes.
  @inlinable public static func entryOffset(_ address: VirtualAddress, _ level: Int) -> UInt64 {
    (address.raw &>> UInt64(truncatingIfNeeded: 12 &+ 9 &* level) & 511) &<< 3
  }

  /// Whether bits 47 to 63 of `address` are equal.
  @inlinable public static func isCanonical(_ address: VirtualAddress) -> Bool {
    let high = Int64(bitPattern: address.raw) &>> 47
    return high == 0 || high == -1
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// The shape of an x86-64 radix tree, known when code is compiled: nodes of eight-byte entries, nine address bits a
/// level.
///
/// Levels count from the leaves: level 0 maps 4 KiB, 1 maps 2 MiB, 2 maps 1 GiB, and so on up to the root. A node at a
/// level that may be *flattened* can be one with all nodes below it: 2^18 entries of the level below, in 2 MiB of
/// contiguous, aligned memory. Where there is no such memory, ordinary nodes stand in the same tree.
public protocol RadixShape: Sendable, SendableMetatype {
  /// The root's level.
  static var rootLevel: Int { get }
  /// The highest level at which an entry may map a page.
  static var highestLeafLevel: Int { get }
  /// Whether the upper half of the address space has a root of its own, shared by all address spaces.
  static var hasKernelRoot: Bool { get }
  /// Whether nodes at `level` may be flattened.
  static func mayFlatten(_ level: Int) -> Bool
}

extension RadixShape {
  /// 1 GiB pages.
  @inlinable public static var highestLeafLevel: Int { 2 }
  /// One root for everything.
  @inlinable public static var hasKernelRoot: Bool { false }
  /// Ordinary nodes only.
  @inlinable public static func mayFlatten(_ level: Int) -> Bool { false }

  /// Entries in an ordinary node.
  @inlinable public static var entries: UInt64 { 512 }
  /// Bits of a virtual address that the tree translates.
  @inlinable public static var addressBits: UInt64 { UInt64(truncatingIfNeeded: 21 &+ 9 &* rootLevel) }

  /// Where the address bits that select an entry at `level` begin.
  @inlinable @inline(__always) public static func shift(_ level: Int) -> UInt64 {
    UInt64(truncatingIfNeeded: 12 &+ 9 &* level)
  }

  /// The span of one entry at `level`.
  @inlinable public static func span(_ level: Int) -> PageSize {
    PageSize(shift: UInt8(truncatingIfNeeded: shift(level)))
  }

  /// The number of the entry for `address` in an ordinary node at `level`.
  @inlinable @inline(__always) public static func index(_ address: VirtualAddress, _ level: Int) -> UInt64 {
    address.raw &>> shift(level) & 511
  }

  /// Where in an ordinary node at `level` the entry for `address` is, in bytes.
  @inlinable @inline(__always)
  public static func entryOffset(_ address: VirtualAddress, _ level: Int) -> UInt64 {
    index(address, level) &<< 3
  }

  /// Whether all bits of `address` above the highest one that the tree translates equal that bit.
  @inlinable public static func isCanonical(_ address: VirtualAddress) -> Bool {
    let high = Int64(bitPattern: address.raw) &>> Int64(addressBits &- 1)
    return high == 0 || high == -1
  }
}

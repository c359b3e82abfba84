// SPDX-License-Identifier: MIT
public import SimMemory

/// The layout of elastic cuckoo page tables: clusters of eight entries (Skarlatos et al., ASPLOS'20; EMT paper, Figure 12).
///
/// ```
/// cluster (64 bytes)   entry 0 … entry 7, x86-64 entries; their bits 52–56 hold:
///   entries 0–6        five bits each of the cluster's number: address bits 15–47 (4 KiB), 24–47, 33–47
///   entry 7            how many of the eight entries map something, 1 to 8; 0: the slot is free
/// ```
/// Five tables, by number: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB; 3 and 4 are the walk tables (`ECPTRow`) for 2 MiB
/// and 1 GiB. Each has three ways, an array each, and a cluster is in one slot of one way. A way takes its index
/// from the low bits of the cluster's one hash, rotated by 21 bits times the way's number: so a way of twice the
/// size uses one more bit of the same hash, and half of its clusters stay at their index.
@frozen public enum ECPTFormat {
  /// All tables, walk tables included.
  @inlinable public static var tables: Int { 5 }
  /// Ways of each table.
  @inlinable public static var ways: Int { 3 }
  /// The scheme's bits of one entry.
  @inlinable public static var bits: UInt64 { 0x1F &<< 52 }
  /// One mapped entry more, in the last entry.
  @inlinable public static var one: UInt64 { 1 &<< 52 }
  /// The span of one cluster of a page table, or of one row of a walk table.
  @inlinable @inline(__always) public static func span(_ table: Int) -> PageSize {
    PageSize(
      shift: UInt8(truncatingIfNeeded: table < ClusterFormat.tables ? 15 &+ 9 &* table : 3 &+ 9 &* table))
  }

  /// The number of the cluster or row of `table` for `address`: its tag and what is hashed.
  @inlinable @inline(__always)
  public static func number(_ address: VirtualAddress, _ table: Int) -> UInt64 {
    (address.raw & ((1 &<< ClusterFormat.addressBits) &- 1)) &>> UInt64(span(table).shift)
  }

  /// The hash as `way` sees it.
  @inlinable @inline(__always) public static func turn(_ hash: UInt64, _ way: Int) -> UInt64 {
    let bits = UInt64(truncatingIfNeeded: 21 &* way)
    return hash &>> bits | hash &<< (64 &- bits)
  }
}

/// A way register: base address, log2 of the clusters, and whether a successor exists.
@frozen public struct ECPTWay: Sendable, Equatable, BitwiseCopyable {
  /// The word: bits 0–4 log2 of the clusters, bit 5 successor, bits 6–63 the base. Zero: no array.
  public var word: UInt64
  /// Wraps a register's word.
  @inlinable public init(word: UInt64) { self.word = word }
  /// Names 2^`log2` clusters from `base`, which is a multiple of 64.
  @inlinable public init(base: PhysicalAddress, log2: UInt64) { word = base.raw | log2 }

  /// The way is being resized: the next array and the migration pointer count.
  @inlinable public static var successor: UInt64 { 1 &<< 5 }
  /// Whether there is an array.
  @inlinable public var exists: Bool { word != 0 }
  /// Whether the way is being resized.
  @inlinable public var hasSuccessor: Bool { word & ECPTWay.successor != 0 }
  /// The first cluster.
  @inlinable public var base: PhysicalAddress { PhysicalAddress(word & ~63) }
  /// Binary logarithm of the number of clusters.
  @inlinable public var log2: UInt64 { word & 31 }
  /// The number of clusters.
  @inlinable public var clusters: UInt64 { 1 &<< log2 }
  /// The size in bytes.
  @inlinable public var bytes: UInt64 { ClusterFormat.bytes &<< log2 }

  /// The slot for a hash as the way sees it; also the slot at an index.
  @inlinable @inline(__always) public func slot(_ hash: UInt64) -> PhysicalAddress {
    base.advanced(by: (hash & (clusters &- 1)) &<< 6)
  }
}

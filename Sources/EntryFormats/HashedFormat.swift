// SPDX-License-Identifier: MIT
public import SimMemory

/// The layout of the hashed page table: clusters of eight entries for eight consecutive pages of one size.
///
/// ```
/// cluster (64 bytes)   entry 0 … entry 7, x86-64 entries; their scheme bits 52–58 hold:
///   entries 0–4        7 bits each of the cluster's number: address bits 15–47 (4 KiB), 24–47, 33–47
///   entries 5–6        zero
///   entry 7            bit 52 live, bit 53 dead; neither: the slot is void and ends a search
/// ```
/// A dead slot never matches, but a search goes on behind it. Tables and numbers are those of `ClusterFormat`.
@frozen public enum HashedFormat {
  /// Mark: the cluster holds translations.
  @inlinable public static var live: UInt64 { 1 &<< 52 }
  /// Mark: the cluster went elsewhere, others behind it did not.
  @inlinable public static var dead: UInt64 { 1 &<< 53 }
  /// The hash of a cluster's number.
  @inlinable @inline(__always) public static func hash(_ number: UInt64) -> UInt64 {
    HashFunction.murmurFinaliser.hash(number)
  }

  /// The scheme bits of the entry at `offset` in a live cluster.
  @inlinable @inline(__always)
  public static func schemeBits(_ number: UInt64, at offset: UInt64) -> UInt64 {
    // Seven bits an entry, that is 7/8 bit a byte of offset.
    let part = (number &>> (offset &- offset &>> 3) & 0x7F) &<< 52
    return offset == ClusterFormat.markOffset ? part | live : part
  }
}

/// One array of clusters, as the word that names it: base address, log2 of its clusters, and whether the table
/// that it is the current array of holds anything.
@frozen public struct HashedArray: Sendable, Equatable, BitwiseCopyable {
  /// The word: bits 0–4 log2 of the clusters, bit 5 occupied, bits 6–63 the base. Zero: no array.
  public var word: UInt64
  /// Wraps a descriptor's word.
  @inlinable public init(word: UInt64) { self.word = word }
  /// Names 2^`log2` clusters from `base`, which is a multiple of 64.
  @inlinable public init(base: PhysicalAddress, log2: UInt64) { word = base.raw | log2 }

  /// In a current word: the table holds at least one cluster, here or in the next array.
  @inlinable public static var occupied: UInt64 { 1 &<< 5 }
  /// Whether there is an array.
  @inlinable public var exists: Bool { word != 0 }
  /// Whether the table holds anything.
  @inlinable public var isOccupied: Bool { word & HashedArray.occupied != 0 }
  /// The first cluster.
  @inlinable public var base: PhysicalAddress { PhysicalAddress(word & ~63) }
  /// Binary logarithm of the number of clusters.
  @inlinable public var log2: UInt64 { word & 31 }
  /// The number of clusters.
  @inlinable public var clusters: UInt64 { 1 &<< log2 }
  /// The size in bytes.
  @inlinable public var bytes: UInt64 { ClusterFormat.bytes &<< log2 }

  /// Where a search for `hash` starts; also the slot at an index.
  @inlinable @inline(__always) public func slot(_ hash: UInt64) -> PhysicalAddress {
    base.advanced(by: (hash & (clusters &- 1)) &<< 6)
  }

  /// The next slot of a search; the first one follows the last.
  @inlinable @inline(__always) public func slot(after slot: PhysicalAddress) -> PhysicalAddress {
    base.advanced(by: (slot.raw &- base.raw &+ ClusterFormat.bytes) & (bytes &- 1))
  }

  /// How many slots a search that starts at `hash` has passed when it reaches `slot`.
  @inlinable public func distance(from hash: UInt64, to slot: PhysicalAddress) -> UInt64 {
    ((slot.raw &- base.raw) &>> 6 &- hash) & (clusters &- 1)
  }

  /// Whether `slot` lies in the array.
  @inlinable public func contains(_ slot: PhysicalAddress) -> Bool { slot.raw &- base.raw < bytes }
}

/// The block in memory that a root register names: where the arrays are. Two cache lines; every field is a word.
///
/// ```
///   0      version: changes before a cluster leaves its slot and before an array goes
///   8–24   current array of 4 KiB, 2 MiB, 1 GiB
///  32–48   next array while the table is resized, else zero
///  64–80   how many slots of the current array have moved to the next one: a hint where to look first
/// ```
/// A walker reads the version, searches, and reads it again: when it changed, what was found or missed means
/// nothing, and the walker starts again.
@frozen public enum HashedDescriptor {
  /// Where the version is.
  @inlinable public static var version: UInt64 { 0 }
  /// Where the current array of `table` is.
  @inlinable @inline(__always) public static func current(_ table: Int) -> UInt64 {
    8 &+ UInt64(truncatingIfNeeded: table) &<< 3
  }
  /// Where the next array of `table` is.
  @inlinable @inline(__always) public static func next(_ table: Int) -> UInt64 {
    32 &+ UInt64(truncatingIfNeeded: table) &<< 3
  }
  /// Where the number of slots moved is.
  @inlinable @inline(__always) public static func moved(_ table: Int) -> UInt64 {
    64 &+ UInt64(truncatingIfNeeded: table) &<< 3
  }
  /// Bytes that the hardware reads; the rest of the frame is software's.
  @inlinable public static var bytes: UInt64 { 128 }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// The register image of one address space: what the walker's registers hold, as a block of 512 bytes in memory.
///
/// ```
///   0        version: changes before a cluster leaves its slot, is replaced, or an array goes
///   8        bits 0–7 the hash function (`HashFunction`)
///  16        bit n: clusters of table n are in its stash
///  24        epoch: changes with the registers below
///  64–183    way registers, three for each table (`ECPTWay`)
/// 192–311    next array of a way that is being resized
/// 320–439    migration pointer of a way that is being resized
/// 2048–3967  the stashes: six clusters for each table, searched only where word 16 says so
/// ```
/// An index of a resized way, taken modulo the smaller of the two arrays, is in the next array when it is below
/// the migration pointer, else in the current one: so one store of the pointer moves a cluster.
///
/// Hardware copies the image when it is told the block's address (nine way registers and walk tables as one set) and
/// keeps the copy coherent: when the epoch has changed, it reads the lines again. So resizing tells no CPU. A walker
/// reads the version before and after a search; when it changed, what was found or missed means nothing.
@frozen public enum ECPTRegisters {
  /// Where the version is.
  @inlinable public static var version: UInt64 { 0 }
  /// Where the hash function is.
  @inlinable public static var hash: UInt64 { 8 }
  /// Where the stash bits are.
  @inlinable public static var stash: UInt64 { 16 }
  /// Where the epoch is.
  @inlinable public static var epoch: UInt64 { 24 }
  /// Where the register of a way is.
  @inlinable @inline(__always) public static func current(_ table: Int, _ way: Int) -> UInt64 {
    64 &+ UInt64(truncatingIfNeeded: table &* 3 &+ way) &<< 3
  }
  /// Where the successor of a way is.
  @inlinable @inline(__always) public static func next(_ table: Int, _ way: Int) -> UInt64 {
    192 &+ UInt64(truncatingIfNeeded: table &* 3 &+ way) &<< 3
  }
  /// Where the migration pointer of a way is.
  @inlinable @inline(__always) public static func pointer(_ table: Int, _ way: Int) -> UInt64 {
    320 &+ UInt64(truncatingIfNeeded: table &* 3 &+ way) &<< 3
  }
  /// Clusters in a stash.
  @inlinable public static var stashSlots: Int { 6 }
  /// Where a cluster of a stash is.
  @inlinable @inline(__always) public static func stash(_ table: Int, _ index: Int) -> UInt64 {
    2048 &+ UInt64(truncatingIfNeeded: table &* 6 &+ index) &<< 6
  }
  /// Cache lines that hold registers.
  @inlinable public static var lines: UInt64 { 7 }
}

/// What the walker of elastic cuckoo tables starts from: two register sets, switched as one.
@frozen public struct ECPTRoot: Hashable, Sendable, BitwiseCopyable {
  /// Register image for the lower half of the address space.
  public var user: PhysicalAddress
  /// Register image for the upper half, shared by all processes.
  public var kernel: PhysicalAddress
  /// The tag of the address space in TLBs; 0 is the kernel's.
  public var spaceID: UInt16
  /// Kernel page-table isolation: user mode has no kernel registers at all.
  public var isIsolated: Bool

  /// Register contents.
  @inlinable public init(
    user: PhysicalAddress, kernel: PhysicalAddress, spaceID: UInt16, isIsolated: Bool = false
  ) {
    self.user = user
    self.kernel = kernel
    self.spaceID = spaceID
    self.isIsolated = isIsolated
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// An x86-64 page-table entry, bit by bit (Intel SDM vol. 3A §4.5; software bits as Linux uses them).
///
/// ```
///  63  62..59  58..52   51..........12  11 10  9  8  7  6  5  4   3  2 1 0
///  NX  pkey    scheme   physical frame  SD UW SP  G PS  D  A PCD PWT U W P
/// ```
/// The same 64 bits serve every scheme here; bits 52–58 are ignored by x86 and left to the scheme (tags of hashed
/// clusters, marks of flattened nodes). An entry whose other bits are all zero maps nothing.
/// With P = 0 and G = 1 the page is in memory but every access faults. With P = 0 and bit 7 = 1 it is a swap entry:
/// area in 59–63, offset in 9–51, userfaultfd protection in bit 2, soft-dirty in bit 1.
@frozen public struct X86Entry: Hashable, Sendable, BitwiseCopyable {
  /// The 64 bits.
  public var raw: UInt64
  /// Wraps the bits of an entry.
  @inlinable public init(_ raw: UInt64) { self.raw = raw }

  /// P: the hardware may use the entry.
  @inlinable public static var present: UInt64 { 1 &<< 0 }
  /// R/W: stores are allowed.
  @inlinable public static var writable: UInt64 { 1 &<< 1 }
  /// U/S: user mode is allowed.
  @inlinable public static var user: UInt64 { 1 &<< 2 }
  /// PWT: part of the cache mode.
  @inlinable public static var writeThrough: UInt64 { 1 &<< 3 }
  /// PCD: part of the cache mode.
  @inlinable public static var cacheDisable: UInt64 { 1 &<< 4 }
  /// A: set by the walker when it uses the entry.
  @inlinable public static var accessed: UInt64 { 1 &<< 5 }
  /// D: set by the walker for a store.
  @inlinable public static var dirty: UInt64 { 1 &<< 6 }
  /// PS: in a table above the last level, the entry maps a page. Set in every huge leaf.
  @inlinable public static var pageSize: UInt64 { 1 &<< 7 }
  /// PAT of a 4 KiB leaf, the same bit as PS.
  @inlinable public static var attributeTable: UInt64 { 1 &<< 7 }
  /// PAT of a huge leaf.
  @inlinable public static var attributeTableHuge: UInt64 { 1 &<< 12 }
  /// G: survives a switch of address space in the TLB. With P = 0: in memory, but no access is allowed.
  @inlinable public static var global: UInt64 { 1 &<< 8 }
  /// Software: the memory manager keeps no counts for the page.
  @inlinable public static var special: UInt64 { 1 &<< 9 }
  /// Software: write-protected on behalf of a userfaultfd.
  @inlinable public static var userfaultWriteProtected: UInt64 { 1 &<< 10 }
  /// Software: written since tracking was reset.
  @inlinable public static var softDirty: UInt64 { 1 &<< 11 }
  /// XD: no instruction fetches.
  @inlinable public static var noExecute: UInt64 { 1 &<< 63 }
  /// The protection key's four bits.
  @inlinable public static var protectionKeyMask: UInt64 { 0xF &<< 59 }
  /// Where the protection key starts.
  @inlinable public static var protectionKeyShift: UInt64 { 59 }
  /// Bits that belong to the scheme, not to the mapping.
  @inlinable public static var schemeMask: UInt64 { 0x7F &<< 52 }
  /// Physical address of a 4 KiB leaf or of a table.
  @inlinable public static var addressMask: UInt64 { 0x000F_FFFF_FFFF_F000 }

  /// Marks a swap entry (with P and G clear).
  @inlinable public static var swap: UInt64 { 1 &<< 7 }
  /// Soft-dirty in a swap entry.
  @inlinable public static var swapSoftDirty: UInt64 { 1 &<< 1 }
  /// Userfaultfd protection in a swap entry.
  @inlinable public static var swapUserfaultWriteProtected: UInt64 { 1 &<< 2 }
  /// Where a swap entry's offset starts, and its width.
  @inlinable public static var swapOffsetShift: UInt64 { 9 }
  /// Bits of a swap entry's offset.
  @inlinable public static var swapOffsetBits: UInt64 { 43 }
  /// Where a swap entry's area starts; five bits.
  @inlinable public static var swapAreaShift: UInt64 { 59 }

  /// The mapping without the scheme's bits.
  @inlinable public var mapping: UInt64 { raw & ~X86Entry.schemeMask }
  /// Whether the entry says nothing about its page.
  @inlinable public var isNone: Bool { mapping == 0 }
  /// Whether the hardware may use the entry.
  @inlinable public var isPresent: Bool { raw & X86Entry.present != 0 }
  /// Whether the page is in memory, accessible or not.
  @inlinable public var isResident: Bool { raw & (X86Entry.present | X86Entry.global) != 0 }
  /// Whether the entry says where in swap the page is.
  @inlinable public var isSwap: Bool { !isResident && raw & X86Entry.swap != 0 }

  /// The physical start of the page of `size` that the entry maps.
  @inlinable public func physicalAddress(_ size: PageSize) -> PhysicalAddress {
    PhysicalAddress(raw & X86Entry.addressMask & ~size.mask)
  }

  /// The table that the entry points to.
  @inlinable public var table: PhysicalAddress { PhysicalAddress(raw & X86Entry.addressMask) }
}

// SPDX-License-Identifier: MIT

/// The key of one attribute of a translation object.
///
/// Keys below `firstArchitectureSpecific` are neutral and every driver's objects know them. Keys from there on
/// are a driver's own (protection keys, cache details): neutral code carries such attributes along untouched
/// because it copies whole objects. EMT paper: `TOBJ_ATTR_*`.
@frozen public struct TranslationAttribute: Hashable, Sendable, BitwiseCopyable {
  /// The key's number.
  public let key: UInt16

  /// A key; drivers use numbers from `firstArchitectureSpecific`.
  @inlinable public init(key: UInt16) { self.key = key }

  /// The first number that a driver may give to an attribute of its own.
  @inlinable public static var firstArchitectureSpecific: UInt16 { 0x100 }

  /// First byte of the virtual span, an address aligned to the page size. Writing it moves the object.
  @inlinable public static var virtualAddress: Self { Self(key: 0) }
  /// Binary logarithm of the span in bytes. Writing it rounds the virtual address down to the new size.
  @inlinable public static var pageSize: Self { Self(key: 1) }
  /// First byte of the physical span, an address.
  @inlinable public static var physicalAddress: Self { Self(key: 2) }
  /// Boolean: something is recorded for the address, be it in memory or in swap. Writing false empties the object.
  @inlinable public static var mapped: Self { Self(key: 3) }
  /// Boolean: the contents are in memory at the physical address.
  @inlinable public static var present: Self { Self(key: 4) }
  /// Boolean: loads are allowed.
  @inlinable public static var readable: Self { Self(key: 5) }
  /// Boolean: stores are allowed.
  @inlinable public static var writable: Self { Self(key: 6) }
  /// Boolean: instruction fetches are allowed.
  @inlinable public static var executable: Self { Self(key: 7) }
  /// Boolean: user mode may use it.
  @inlinable public static var user: Self { Self(key: 8) }
  /// Boolean: the hardware used the translation since this was last cleared.
  @inlinable public static var accessed: Self { Self(key: 9) }
  /// Boolean: the hardware wrote through the translation since this was last cleared.
  @inlinable public static var dirty: Self { Self(key: 10) }
  /// Boolean: the same in every address space; survives a switch in the TLB.
  @inlinable public static var global: Self { Self(key: 11) }
  /// A packed `SwapEntry`; zero when the object holds none. Writing one makes the object mapped and not present.
  @inlinable public static var swapEntry: Self { Self(key: 12) }
  /// Boolean: written since soft-dirty tracking was last reset.
  @inlinable public static var softDirty: Self { Self(key: 13) }
  /// Boolean: write-protected on behalf of a userfaultfd.
  @inlinable public static var userfaultWriteProtected: Self { Self(key: 14) }
  /// Boolean: in memory, but every access must fault (PROT_NONE, or NUMA placement wants to know who comes).
  @inlinable public static var numaHint: Self { Self(key: 15) }
  /// Boolean: not an ordinary page: the memory manager keeps no count of it (zero page, device memory).
  @inlinable public static var special: Self { Self(key: 16) }
  /// A `CacheMode` as its raw value.
  @inlinable public static var cacheMode: Self { Self(key: 17) }

  /// How many neutral attributes there are; their keys are 0 up to this.
  @inlinable public static var neutralCount: UInt16 { 18 }
}

/// How the processor's caches treat a page.
@frozen public enum CacheMode: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Ordinary memory.
  case writeBack
  /// Stores go through to memory.
  case writeThrough
  /// Not cached, may be overridden by memory-type registers.
  case uncachedMinus
  /// Never cached.
  case uncached
  /// Stores are combined.
  case writeCombining
  /// Reads cached, writes uncached.
  case writeProtected
}

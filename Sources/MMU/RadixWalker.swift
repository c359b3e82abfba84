// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// Sizes and costs of a radix walker's page-walk caches.
public struct RadixWalkerConfiguration: Hashable, Sendable {
  /// Caches of PML4 entries: where the PDPT of a 512 GiB span is.
  public var pml4Entries: TLBGeometry
  /// Caches of PDPT entries: where the page directory of a 1 GiB span is.
  public var pdptEntries: TLBGeometry
  /// Caches of page-directory entries: where the page table of a 2 MiB span is.
  public var directoryEntries: TLBGeometry
  /// Cycles for each cache that is looked into, deepest first.
  public var cyclesPerProbe: UInt16

  /// A configuration; caches with 0 entries are not there.
  public init(
    pml4Entries: TLBGeometry, pdptEntries: TLBGeometry, directoryEntries: TLBGeometry,
    cyclesPerProbe: UInt16 = 1
  ) {
    self.pml4Entries = pml4Entries
    self.pdptEntries = pdptEntries
    self.directoryEntries = directoryEntries
    self.cyclesPerProbe = cyclesPerProbe
  }

  /// 2, 4 and 32 entries (as reported for Skylake), the last in 8 sets of 4; one cycle a probe.
  public static var standard: RadixWalkerConfiguration {
    RadixWalkerConfiguration(
      pml4Entries: TLBGeometry(fullyAssociative: 2), pdptEntries: TLBGeometry(fullyAssociative: 4),
      directoryEntries: TLBGeometry(entries: 32, ways: 4))
  }

  /// No page-walk caches: every walk starts at the root.
  public static var withoutCaches: RadixWalkerConfiguration {
    let none = TLBGeometry(entries: 0, ways: 1)
    return RadixWalkerConfiguration(pml4Entries: none, pdptEntries: none, directoryEntries: none)
  }
}

/// Walks four-level x86-64 page tables (Intel SDM vol. 3A §4.5) with page-walk caches (§4.10.3).
///
/// Differences from an Intel CPU, all within what the manual allows: an invalidation removes the walk-cache
/// entries whose span shares an address with its range, not all of the address space's (as AMD does with
/// EFER.TCE = 1). When a fault may come from the rights that a walk cache remembers, the walk starts again
/// at the root. A fault removes the walk-cache entries of its address (§4.10.4.1).
@frozen public struct RadixWalker: PageWalker {
  /// CR3.
  public typealias Root = RadixRoot
  /// Walk caches.
  public typealias Configuration = RadixWalkerConfiguration

  @usableFromInline let memory: PhysicalMemory
  @usableFromInline let caches: WalkCaches

  /// A walker with empty walk caches; `release` frees them.
  public init(memory: PhysicalMemory, configuration: RadixWalkerConfiguration = .standard) {
    self.memory = memory.used(by: .hardware)
    caches = WalkCaches(configuration)
  }

  /// The Skylake-like walk caches.
  public static var standardConfiguration: RadixWalkerConfiguration { .standard }

  /// CR3's process-context identifier.
  @inlinable @inline(__always) public static func spaceID(of root: RadixRoot) -> UInt16 { root.spaceID }

  /// Forgets walk-cache entries of one address space whose span shares an address with `range`.
  public func invalidate(spaceID: UInt16, range: VirtualRange?) {
    caches.invalidate(spaceID: spaceID, range: range)
  }

  /// Forgets walk-cache entries of every address space whose span shares an address with `range`.
  public func invalidateEveryone(range: VirtualRange?) {
    caches.invalidate(spaceID: nil, range: range)
  }

  /// Frees the walk caches.
  public func release() { caches.release() }

  /// What the walk caches hold, for tests and checkers.
  public var cachedTables: [WalkCacheEntry] { caches.entries }
}

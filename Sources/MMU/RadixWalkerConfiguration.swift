// SPDX-License-Identifier: MIT
public import EntryFormats

/// Sizes and costs of a radix walker's page-walk caches.
public struct RadixWalkerConfiguration: Hashable, Sendable {
  /// Caches of PML5 entries: where the PML4 of a 256 TiB span is.
  public var pml5Entries: TLBGeometry
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
    pml5Entries: TLBGeometry = TLBGeometry(entries: 0, ways: 1), pml4Entries: TLBGeometry,
    pdptEntries: TLBGeometry, directoryEntries: TLBGeometry, cyclesPerProbe: UInt16 = 1
  ) {
    self.pml5Entries = pml5Entries
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

  /// The same caches where a tree of `shape` has entries: a PML5 adds one of 2 entries, and a cache whose entries are
  /// merged away lends its size to the one above, which leads to the flattened nodes, for its few entries. Above a
  /// flattened root there is nothing to remember.
  public static func standard<Shape: RadixShape>(for shape: Shape.Type) -> RadixWalkerConfiguration {
    var configuration = standard
    if Shape.rootLevel > 3 { configuration.pml5Entries = TLBGeometry(fullyAssociative: 2) }
    if Shape.mayFlatten(3) { configuration.pml4Entries = TLBGeometry(entries: 0, ways: 1) }
    if Shape.mayFlatten(2) { swap(&configuration.pml4Entries, &configuration.pdptEntries) }
    if Shape.mayFlatten(1) { swap(&configuration.pdptEntries, &configuration.directoryEntries) }
    return configuration
  }

  /// No page-walk caches: every walk starts at the root.
  public static var withoutCaches: RadixWalkerConfiguration {
    let none = TLBGeometry(entries: 0, ways: 1)
    return RadixWalkerConfiguration(pml4Entries: none, pdptEntries: none, directoryEntries: none)
  }
}

// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// Walks x86-64 page tables of any shape (Intel SDM vol. 3A §4.5) with page-walk caches (§4.10.3). What a shape lacks
/// costs nothing: each shape is compiled on its own.
///
/// Differences from an Intel CPU, all within what the manual allows: an invalidation removes the walk-cache
/// entries whose span shares an address with its range, not all of the address space's (as AMD does with
/// EFER.TCE = 1). When a fault may come from the rights that a walk cache remembers, the walk starts again
/// at the root. A fault removes the walk-cache entries of its address (§4.10.4.1).
@frozen public struct RadixTreeWalker<Shape: RadixShape>: PageWalker {
  /// CR3, or one base register for each half.
  public typealias Root = RadixTreeRoot<Shape>
  /// Walk caches.
  public typealias Configuration = RadixWalkerConfiguration

  @usableFromInline let memory: PhysicalMemory
  @usableFromInline let caches: WalkCaches

  /// A walker with empty walk caches; `release` frees them.
  public init(memory: PhysicalMemory, configuration: RadixWalkerConfiguration = standardConfiguration) {
    self.memory = memory.used(by: .hardware)
    caches = WalkCaches(configuration)
  }

  /// The Skylake-like walk caches, fitted to the shape.
  public static var standardConfiguration: RadixWalkerConfiguration { .standard(for: Shape.self) }

  /// CR3's process-context identifier.
  @inlinable @inline(__always) public static func spaceID(of root: RadixTreeRoot<Shape>) -> UInt16 {
    root.spaceID
  }

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

/// Walks four-level page tables: 4 references without walk caches.
public typealias RadixWalker = RadixTreeWalker<RadixFormat>

/// Walks five-level page tables: 5 references.
public typealias Radix5Walker = RadixTreeWalker<Radix5Format>

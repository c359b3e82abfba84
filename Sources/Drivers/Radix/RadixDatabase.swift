// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// Translations of one address space as a four-level x86-64 page table (Intel SDM vol. 3A §4.5): nodes are frames of
/// 512 words, and a walk reads one word of each level.
///
/// A user database holds the lower half of the address space, the kernel's the upper half. The 256 nodes below the
/// upper half of the kernel's root live as long as the service, and every user root points at them, so a kernel mapping
/// is seen through every root at once. The last page below 2^64 cannot be mapped (Linux leaves it free too).
///
/// The owner word of a node's frame holds how many of its entries are in use (bits 0–15) and, in a level-1 node, how
/// many base pages are mapped below it (bits 16–63); the root's holds how many nodes there are. A leaf's frame links to
/// its parent's. So one aligned 2 MiB or 1 GiB is known to be void, and its pages are counted, without reading it.
///
/// # Locks
/// A lock over a range inside one aligned 2 MiB region takes the context's lock for reading and then the region's own
/// lock, which lives in scheme bits of the region's level-1 word, whatever else that word holds: bit 53 is the writer,
/// bits 54–58 count readers. Any other lock is the *exclusive form*: the context's lock for writing. It is also the
/// form where there is no level-1 word to lock: when its node cannot be allocated, and inside a 1 GiB page.
/// - An entry, and a leaf's count, change only under a lock that covers their addresses. A level-1 word changes its
///   mapping by compare-and-exchange that keeps the lock bits; only the lock functions change those.
/// - A missing node is published by compare-and-exchange under any lock; the loser gives its node back and walks again.
/// - A leaf is freed under the lock of its region. A node above leaves holds lock words of many regions, or is walked
///   through by them; it is freed under the exclusive form only. Both follow from one rule: a node is freed by the
///   operation whose range covers the node's whole span.
/// - Walks happen under a lock, never before it: the lock functions look for the level-1 word while they hold the
///   context's lock, so it cannot be freed under them.
/// - Hardware takes no lock. It reads whole words, sets accessed and dirty bits of present leaves, and follows a pointer
///   to a freed node only until the flush that comes before the node is given back.
@frozen public struct RadixDatabase: TranslationDatabase {
  /// Entries as x86-64 has them.
  public typealias Object = X86Object
  /// The four-level MMU.
  public typealias Service = RadixService
  /// A cursor that remembers its leaf node.
  public typealias Iterator = RadixIterator
  /// The context's lock, or one of a 2 MiB region.
  public typealias Lock = RadixLock

  /// The neutral state.
  public var context: DatabaseContext
  /// The root node; a walker starts here.
  public let root: PhysicalAddress
  /// The first address, and how many bytes from there can be mapped.
  @usableFromInline let first: UInt64
  @usableFromInline let limit: UInt64

  init(_ context: DatabaseContext, root: PhysicalAddress, isKernel: Bool) {
    self.context = context
    self.root = root
    first = isKernel ? ~0 << 47 : 0
    limit = isKernel ? 1 << 47 - PageSize.base.bytes : 1 << 47
  }

  /// What the walker starts from.
  @inlinable public var registers: RadixRoot { RadixRoot(table: root, spaceID: context.spaceID.raw) }

  /// Basic 7: nodes only; the kernel's shared nodes are the kernel database's. Touches no entry.
  public var footprint: TableFootprint { TableFootprint(nodes: table.word(root.frame) << 12) }

  /// Basic 8: frees every node. Touches every entry above the leaves once.
  public func release() {
    let halfNodes = VirtualRange(VirtualAddress(first), VirtualAddress(first &+ limit))
    freeNodes(below: root, RadixFormat.rootLevel, halfNodes)
    freeNode(root.frame)
  }

  @inlinable @inline(__always) var memory: PhysicalMemory { context.platform.memory }
  @inlinable @inline(__always) var table: FrameTable { context.platform.frames.table }
  @inlinable @inline(__always) var isKernel: Bool { first != 0 }

  /// Whether the database can map `address`.
  @inlinable @inline(__always) func covers(_ address: VirtualAddress) -> Bool { address.raw &- first < limit }

  /// Whether the database can map all of a page of `size` at `start`.
  @inlinable func covers(_ start: VirtualAddress, _ size: PageSize) -> Bool {
    covers(start) && covers(VirtualAddress(start.raw | size.mask))
  }

  /// The part of `range` that the database can map.
  @inlinable func clipped(_ range: VirtualRange) -> VirtualRange {
    range.intersection(VirtualRange(VirtualAddress(first), VirtualAddress(first &+ limit)))
  }

  /// Whether `object` was found here and knows its word still.
  @inlinable @inline(__always) func isLocated(_ object: X86Object) -> Bool {
    object.location != 0 && object.generation == context.generation
  }
}

extension RadixFormat {
  /// The level whose leaves have `size`, if there is one.
  @inlinable static func level(of size: PageSize) -> Int? {
    switch size {
    case .base: 0
    case .twoMiB: 1
    case .oneGiB: 2
    default: nil
    }
  }
}

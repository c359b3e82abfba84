// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// Translations of one address space as an x86-64 page table of any shape (Intel SDM vol. 3A §4.5): nodes are frames of
/// 512 words, and a walk reads one word of each level. For flattened nodes see `RadixSlot` and `Docs/Drivers/FPT.md`.
///
/// A user database holds the lower half of the address space, the kernel's the upper half. In shapes with one root, the 256
/// nodes below the upper half of the kernel's root live as long as the service, and every user root points at them, so
/// a kernel mapping is seen through every root at once. The last page below 2^64 cannot be mapped (Linux leaves it free).
///
/// The owner word of a node's frame holds how many of its entries are in use (bits 0–15) and, in a level-1 node, how
/// many base pages are mapped below it (bits 16–39); in the root, bits 40–63 count the frames of all nodes. A leaf's
/// frame links to its parent's. So one aligned 2 MiB or 1 GiB is known to be void, and its pages are counted, without
/// reading it. Each part of a flattened node keeps such a count in its own frame; a part of leaves links to the node's
/// first frame, which stands for the parent.
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
@frozen public struct RadixTree<Shape: RadixShape>: TranslationDatabase, X86InPlaceTranslation {
  /// Entries as x86-64 has them.
  public typealias Object = X86Object
  /// The MMU of the shape.
  public typealias Service = RadixTreeService<Shape>
  /// A cursor that remembers its leaf node.
  public typealias Iterator = RadixIterator
  /// The context's lock, or one of a 2 MiB region.
  public typealias Lock = RadixLock
  @usableFromInline typealias Slot = RadixSlot<Shape>

  /// The neutral state.
  public var context: DatabaseContext
  /// The root node; bit 0 says that it is flattened. A walker starts here.
  public let root: PhysicalAddress
  /// The first address, and how many bytes from there can be mapped.
  @usableFromInline let first: UInt64
  @usableFromInline let limit: UInt64

  /// An empty tree; nil when there is no memory for its root.
  @inlinable init?(_ context: DatabaseContext, isKernel: Bool) {
    guard let root = RadixTree.makeNode(context, at: Shape.rootLevel) else { return nil }
    self.context = context
    self.root = PhysicalAddress(root.raw)
    let half = Shape.addressBits &- 1
    first = isKernel ? ~0 &<< half : 0
    limit = isKernel ? 1 &<< half &- PageSize.base.bytes : 1 &<< half
    table.addToWord((root.isFlattened ? 512 : 1) &<< 40, root.frame)
  }

  /// Basic 7: nodes only; the kernel's shared nodes are the kernel database's. Touches no entry.
  @inlinable public var footprint: TableFootprint {
    TableFootprint(nodes: (table.word(root.frame) &>> 40) &<< 12)
  }

  /// Basic 8: frees every node. Touches every entry above the leaves once.
  @inlinable public func release() {
    freeNodes(below: rootNode, everything)
    freeNode(rootNode)
  }

  @inlinable @inline(__always) var memory: PhysicalMemory { context.platform.memory }
  @inlinable @inline(__always) var table: FrameTable { context.platform.frames.table }
  @inlinable @inline(__always) var isKernel: Bool { first != 0 }
  @inlinable @inline(__always) var rootNode: RadixNode { RadixNode(root.raw, Shape.rootLevel) }

  /// All that the database can map.
  @inlinable var everything: VirtualRange { VirtualRange(VirtualAddress(first), bytes: limit) }

  /// Whether the database can map `address`.
  @inlinable @inline(__always) func covers(_ address: VirtualAddress) -> Bool { address.raw &- first < limit }

  /// Whether the database can map all of a page of `size` at `start`.
  @inlinable func covers(_ start: VirtualAddress, _ size: PageSize) -> Bool {
    covers(start) && covers(VirtualAddress(start.raw | size.mask))
  }

  /// Whether `object` was found here and knows its word still.
  @inlinable @inline(__always) func isLocated(_ object: X86Object) -> Bool {
    object.location != 0 && object.generation == context.generation
  }
}

/// Four-level page tables.
public typealias RadixDatabase = RadixTree<RadixFormat>

/// Five-level page tables.
public typealias Radix5Database = RadixTree<Radix5Format>

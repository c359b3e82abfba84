// SPDX-License-Identifier: MIT
public import EMTCore
internal import EntryFormats
public import SimMemory
public import X86Object

/// A hashed page table: one open-addressed table of eight-page clusters for each page size and address space.
///
/// **Tables.** `HashedFormat` and `HashedDescriptor` say what the bytes mean. A collision goes to the next slot.
/// An address space starts with one frame: the descriptor, the software's counts, 64 lock words and three small
/// arrays (32, 16 and 4 clusters). A table grows when 5/8 of its slots are taken and shrinks when the smaller one
/// would be at most 1/4 full; without memory for a larger array it goes on until every slot is taken.
///
/// **Bounds.** The new array is cleared one frame per change of the table; then each change moves up to eight clusters
/// out of up to 64 old slots. So growing from n slots is over after at most n/32 + n/8 changes. A search makes ½(1 + 1/(1 − load)) probes when it
/// hits and ½(1 + 1/(1 − load)²) when it misses: 1.8 and 4 just before growing. Closing the gap of a removed cluster
/// looks at no more than 64 slots; the gap that is left then is dead until a new cluster takes it or the
/// table is rebuilt. One exception: a table that memory was refused to from 5/8 full until its last slot, and that
/// gets memory then, finishes growing in one change.
///
/// **Hardware.** A cluster is copied before it is removed, and the version changes in between. So at every store
/// every mapped page is found, and a walker that searched across a change notices and starts again. Old words are
/// taken by exchange, and accessed and dirty bits that the walker set meanwhile go to the copy.
///
/// **Locks.** `frames.table.lock` of the descriptor's frame is the structure lock: shared for storing into entries
/// where they are, exclusive for moving, adding and freeing clusters. It is the innermost lock: its holder takes no
/// range lock, no structure lock of another database and calls no caller's code, only the frame allocator, whose
/// locks are leaves. So it cannot be part of a cycle. Searches take no lock: they check the move generation.
@frozen public struct HashedDatabase: TranslationDatabase {
  /// Entries are x86-64's.
  public typealias Object = X86Object
  /// The service that makes such databases.
  public typealias Service = HashedService
  /// Walks cluster by cluster.
  public typealias Iterator = HashedIterator
  /// One of 64 words, or all.
  public typealias Lock = HashedLock

  /// The neutral state.
  public var context: DatabaseContext
  /// The frame with descriptor, counts, locks and small arrays; also what the root register holds.
  public let descriptor: PhysicalAddress
  /// Bits 47–63 of every address here: all zero for a process, all one for the kernel.
  @usableFromInline let half: UInt64

  /// An empty address space, or nil when no frame is left.
  init?(_ context: DatabaseContext, isKernel: Bool) {
    var didClear = false
    guard let frame = context.platform.frames.allocateZeroed(node: context.node, didClear: &didClear) else {
      return nil
    }
    context.meter.count(.tableFrame)
    self.context = context
    descriptor = frame.address
    half = isKernel ? ~0 >> 47 : 0
    for table in 0..<HashedFormat.tables { set(HashedDescriptor.current(table), embedded(table).word) }
  }

  /// Basic 4. One search of each table that holds anything, smallest pages first, until one answers.
  ///
  /// A void of eight pages or more is reported as such; one inside a cluster page by page.
  @inlinable public func find(_ address: VirtualAddress) -> X86Object {
    let place = place(of: address)
    return X86Object(
      address, place.span, entry: place.entry, location: place.location, generation: place.generation)
  }

  /// Basic 7. All of it counts as ways: the frame of the descriptor and the arrays outside it.
  public var footprint: TableFootprint {
    var bytes = PageSize.base.bytes
    for table in 0..<HashedFormat.tables {
      for array in arrays(table) where !isEmbedded(array) { bytes += array.bytes }
    }
    return TableFootprint(ways: bytes)
  }

  /// Basic 8. A handful of blocks, whatever the number of pages.
  public func release() {
    for table in 0..<HashedFormat.tables {
      for array in arrays(table) { free(array) }
    }
    context.meter.count(.tableFrameFreed)
    context.platform.frames.free(descriptor.frame)
  }
}

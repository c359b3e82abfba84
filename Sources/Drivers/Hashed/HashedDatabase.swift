// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory
internal import X86Object

/// A hashed page table: one open-addressed table of eight-page clusters for each page size and address space.
///
/// **Tables.** `HashedFormat` and `HashedDescriptor` say what the bytes mean. A collision goes to the next slot.
/// An address space starts with one frame: the descriptor, the software's counts, 64 lock words, lists of
/// summaries and three small arrays (32, 8 and 2 clusters). The first page in 2 GiB takes a frame for their summary. A table grows when 5/8 of its slots are taken and shrinks when the smaller one
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
@frozen public struct HashedDatabase: ClusterTable {
  /// The service that makes such databases.
  public typealias Service = HashedService

  /// The neutral state.
  public var context: DatabaseContext
  /// The frame with descriptor, counts, locks and small arrays; also what the root register holds.
  public let block: PhysicalAddress
  /// Bits 47–63 of every address here: all zero for a process, all one for the kernel.
  public let half: UInt64

  /// 64 words behind the counts.
  @inlinable public static var lockWords: UInt64 { 256 }
  /// The descriptor's version.
  @inlinable public static var versionWord: UInt64 { HashedDescriptor.version }
  /// One bit for each table that is being resized.
  @inlinable public static var busyWord: UInt64 { HashedWord.resizing }
  /// The count of summaries and its lists.
  @inlinable public static var summaryWords: UInt64 { HashedWord.summaries }

  /// An empty address space, or nil when no frame is left.
  init?(_ context: DatabaseContext, isKernel: Bool) {
    var didClear = false
    guard let frame = context.platform.frames.allocateZeroed(node: context.node, didClear: &didClear) else {
      return nil
    }
    context.meter.count(.tableFrame)
    self.context = context
    block = frame.address
    half = isKernel ? ~0 >> 47 : 0
    for table in 0..<ClusterFormat.tables { set(HashedDescriptor.current(table), embedded(table).word) }
  }

  /// Basic 7. The frame of the descriptor and the arrays outside it count as ways.
  public var footprint: TableFootprint {
    var bytes = PageSize.base.bytes
    for table in 0..<ClusterFormat.tables {
      let arrays = arrays(table)
      for index in arrays.indices where arrays[index].exists && !isEmbedded(arrays[index]) {
        bytes += arrays[index].bytes
      }
    }
    return TableFootprint(ways: bytes, summaries: summaryCount * PageSize.base.bytes)
  }

  /// Basic 8. A handful of blocks, and one summary for each 2 GiB in use.
  public func release() {
    for table in 0..<ClusterFormat.tables {
      let arrays = arrays(table)
      for index in arrays.indices { free(arrays[index]) }
    }
    freeSummaries()
    context.meter.count(.tableFrameFreed)
    context.platform.frames.free(block.frame)
  }
}

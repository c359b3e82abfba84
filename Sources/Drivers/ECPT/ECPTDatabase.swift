// SPDX-License-Identifier: MIT
public import ClusterTable
public import EMTCore
public import EntryFormats
public import SimMemory
internal import X86Object

/// Elastic cuckoo page tables: three ways for each page size, clusters of eight pages, cuckoo walk tables.
///
/// **Tables.** `ECPTFormat`, `ECPTRegisters` and `ECPTRow` say what the bytes mean. An address space starts with one
/// block of 8 KiB: the register image, the software's counts, 64 lock words, stashes, and small arrays for every way. A table
/// whose slots are more than 3/5 taken grows its smallest way; removing ranges shrinks one that is less than 1/5 full.
///
/// **Moves.** A cluster goes into the first free slot among its three. If there is none, `CuckooPlanner` searches a
/// shortest path of at most four moves to a free slot, breadth first. If there is none either, the table begins to grow,
/// and the cluster waits in the table's stash of six; when that is full too, the insertion fails and changed nothing.
///
/// **Bounds.** One insertion moves at most `step` clusters of a resize and four of a path: 12, with `step=16` 20. It
/// clears one frame of a new array; up to 16 while a stash is in use. See `ECPTDatabase+Resizing`.
///
/// **Hardware.** A cluster is copied before it is removed, and the version changes in between. So at every store
/// every mapped page is found, and a walker that searched across a change notices and starts again. Old words are
/// taken by exchange, and accessed and dirty bits that the walker set meanwhile go to the copy.
@frozen public struct ECPTDatabase: ClusterTable {
  /// The service that makes such databases.
  public typealias Service = ECPTService

  /// The neutral state.
  public var context: DatabaseContext
  /// The block with register image, counts, locks, stashes and small arrays; also what the root holds.
  public let block: PhysicalAddress
  /// Bits 47–63 of every address here: all zero for a process, all one for the kernel.
  public let half: UInt64
  /// The knobs.
  public let policy: ECPTPolicy

  /// 64 words behind the register image.
  @inlinable public static var lockWords: UInt64 { 512 }
  /// The image's version.
  @inlinable public static var versionWord: UInt64 { ECPTRegisters.version }
  /// One bit for each table that is being resized or has a stash.
  @inlinable public static var busyWord: UInt64 { ECPTWord.busy }
  /// The count of summaries and its lists.
  @inlinable public static var summaryWords: UInt64 { ECPTWord.summaries }

  /// An empty address space, or nil when there is no memory.
  init?(_ context: DatabaseContext, _ policy: ECPTPolicy, isKernel: Bool) {
    let frames = context.platform.frames
    guard let frame = frames.allocate(order: 1, node: context.node) else { return nil }
    _ = frames.clearIfUsed(frame, frames: 2)
    context.meter.count(.tableFrame, 2)
    self.context = context
    block = frame.address
    half = isKernel ? ~0 >> 47 : 0
    self.policy = policy
    set(ECPTRegisters.hash, UInt64(policy.hash.rawValue))
    for table in 0..<ECPTFormat.tables {
      for way in 0..<ECPTFormat.ways { setRegister(table, way, nursery(table, way)) }
      note(table)
    }
    guard UInt64(policy.start) > nursery(0, 0).log2 else { return }
    for way in 0..<ECPTFormat.ways {
      guard let array = makeArray(max(6, UInt64(policy.start))) else {
        release()
        return nil
      }
      _ = frames.clearIfUsed(array.base.frame, frames: array.bytes >> 12)
      setRegister(0, way, array)
    }
    note(0)
  }

  /// Basic 7. The block counts as ways, with its small walk tables.
  public var footprint: TableFootprint {
    var bytes = TableFootprint(ways: 2 * PageSize.base.bytes)
    for table in 0..<ECPTFormat.tables {
      let arrays = arrays(table)
      for index in arrays.indices where arrays[index].exists {
        if table < ClusterFormat.tables {
          bytes.ways += arrays[index].bytes
        } else {
          bytes.walkTables += arrays[index].bytes
        }
      }
    }
    bytes.summaries = summaryCount * PageSize.base.bytes
    return bytes
  }

  /// Basic 8. A handful of blocks, and one summary for each 2 GiB in use.
  public func release() {
    for table in 0..<ECPTFormat.tables {
      let arrays = arrays(table)
      for index in arrays.indices { free(arrays[index]) }
    }
    freeSummaries()
    context.meter.count(.tableFrameFreed, 2)
    context.platform.frames.free(block.frame, order: 1)
  }
}

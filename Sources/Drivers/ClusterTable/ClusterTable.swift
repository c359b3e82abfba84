// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
public import X86Object

/// What the schemes have in common that keep translations in clusters: 64 bytes, eight x86-64 entries for eight
/// consecutive pages of one size, one table for each size (`ClusterFormat`).
///
/// A driver says how a cluster is found, made and given up. `find`, the iterator, the range functions, the range locks and
/// the in-place functions of the contract follow from that, once for all. What is mapped is counted in summaries
/// (`ClusterSummary`), so that larger voids are known without a search for each cluster.
///
/// **Block.** Every database has a block of frames. It holds the software's words, among them 64 lock words, the
/// version that hardware reads, and a word that is not zero while the driver has work to catch up with.
///
/// **Structure lock.** `frames.table.lock` of the block's frame: shared for storing into entries where they are, alone
/// for moving, adding and freeing clusters. It is the innermost lock: its holder takes no range lock, no structure
/// lock of another database and calls no caller's code, only the frame allocator, whose locks are leaves. So it
/// cannot be part of a cycle. Searches take no lock: they check the move generation.
public protocol ClusterTable: TranslationDatabase
where Object == X86Object, Iterator == ClusterIterator, Lock == ClusterLock {
  /// The block; its first frame's lock is the structure lock.
  var block: PhysicalAddress { get }
  /// Bits 47–63 of every address here: all zero for a process, all one for the kernel.
  var half: UInt64 { get }
  /// Where in the block the first of 64 lock words is, in bytes.
  static var lockWords: UInt64 { get }
  /// Where in the block the version is that walkers check, in bytes.
  static var versionWord: UInt64 { get }
  /// Where in the block the word is that tells whether `catchUp` has anything to do, in bytes.
  static var busyWord: UInt64 { get }

  /// Where in the block the number of summaries is, with 64 lists of them behind it, in bytes.
  static var summaryWords: UInt64 { get }

  /// Where the entry of `table` for `address` is, nil when there is no cluster. May be asked without a lock: the answer
  /// is right if the move generation is still the same afterwards.
  func locate(_ address: VirtualAddress, _ table: Int) -> PhysicalAddress?

  /// Stores what `group` maps, in one turn of the structure lock, and leaves in `group` what was mapped there before.
  func put(_ group: inout ClusterGroup) throws(TranslationError)

  /// Removes what `group` has pages for, and leaves in `group` what was mapped there. A cluster that maps nothing then
  /// is given up.
  func takeOut(_ group: inout ClusterGroup)

  /// Gives table memory back after a range was removed.
  func giveBack(_ range: VirtualRange)

  /// Moves work that was put off on by one step.
  func catchUp()
}

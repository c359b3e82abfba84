// SPDX-License-Identifier: MIT
public import ClusterTable
internal import EMTCore
public import EntryFormats
internal import SimMemory

/// Where the software's own words are in the descriptor's frame, behind what the hardware reads. Lock words follow.
@usableFromInline enum HashedWord {
  /// Clusters in use.
  @inlinable static func live(_ table: Int) -> UInt64 { 128 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// Dead slots in the array that new clusters go to.
  @inlinable static func dead(_ table: Int) -> UInt64 { 152 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// The array that is being cleared, to become the next one.
  @inlinable static func preparing(_ table: Int) -> UInt64 { 176 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// How many of its frames are clear.
  @inlinable static func cleared(_ table: Int) -> UInt64 { 200 &+ UInt64(truncatingIfNeeded: table) &<< 3 }
  /// One bit for each table that is being resized.
  @inlinable static var resizing: UInt64 { 224 }
  /// How many summaries there are; 64 lists of them follow.
  @inlinable static var summaries: UInt64 { 1528 }
}

extension HashedDatabase {
  @inlinable @inline(__always) func current(_ table: Int) -> HashedArray {
    HashedArray(word: word(HashedDescriptor.current(table)))
  }

  @inlinable @inline(__always) func next(_ table: Int) -> HashedArray {
    HashedArray(word: word(HashedDescriptor.next(table)))
  }

  /// The array of `table` that lies in the descriptor's frame.
  @usableFromInline func embedded(_ table: Int) -> HashedArray {
    switch table {
    case 0: HashedArray(base: block.advanced(by: 2048), log2: 5)
    case 1: HashedArray(base: block.advanced(by: 768), log2: 3)
    default: HashedArray(base: block.advanced(by: 1280), log2: 1)
    }
  }

  @usableFromInline func isEmbedded(_ array: HashedArray) -> Bool { array.base.frame == block.frame }

  /// Every array that `table` has now; words of zero fill up.
  func arrays(_ table: Int) -> InlineArray<3, HashedArray> {
    [current(table), next(table), HashedArray(word: word(HashedWord.preparing(table)))]
  }
}

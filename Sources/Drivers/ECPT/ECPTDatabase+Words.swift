// SPDX-License-Identifier: MIT
public import ClusterTable
internal import EMTCore
public import EntryFormats
internal import SimMemory

/// Where the software's own words are in the block, beside what the hardware reads.
@usableFromInline enum ECPTWord {
  @inlinable static func row(_ table: Int) -> UInt64 { 1024 &+ UInt64(truncatingIfNeeded: table) &<< 6 }
  /// Clusters in use.
  @inlinable static func live(_ table: Int) -> UInt64 { row(table) }
  /// The array that is being cleared, to become the successor of the way in `resized`.
  @inlinable static func preparing(_ table: Int) -> UInt64 { row(table) &+ 8 }
  /// How many of its frames are clear.
  @inlinable static func cleared(_ table: Int) -> UInt64 { row(table) &+ 16 }
  /// One plus the way that is being resized; zero: none.
  @inlinable static func resized(_ table: Int) -> UInt64 { row(table) &+ 24 }
  /// Not zero: the migration goes back to the larger array.
  @inlinable static func isReturning(_ table: Int) -> UInt64 { row(table) &+ 32 }
  /// The table shrinks only below this number of clusters; zero: no such limit.
  @inlinable static func limit(_ table: Int) -> UInt64 { row(table) &+ 40 }
  /// The slots of all ways, of those being resized in the new array.
  @inlinable static func slots(_ table: Int) -> UInt64 { row(table) &+ 48 }
  /// One bit for each table that is being resized or has a stash.
  @inlinable static var busy: UInt64 { 1344 }
  /// How many summaries there are; 64 lists of them follow.
  @inlinable static var summaries: UInt64 { 1528 }
}

extension ECPTDatabase {
  @inlinable @inline(__always) func current(_ table: Int, _ way: Int) -> ECPTWay {
    ECPTWay(word: word(ECPTRegisters.current(table, way)))
  }

  @inlinable @inline(__always) func next(_ table: Int, _ way: Int) -> ECPTWay {
    ECPTWay(word: word(ECPTRegisters.next(table, way)))
  }

  /// Changes a way register; hardware reads the image again.
  func setRegister(_ table: Int, _ way: Int, _ value: ECPTWay) {
    set(ECPTRegisters.current(table, way), value.word)
    set(ECPTRegisters.epoch, word(ECPTRegisters.epoch) &+ 1)
  }

  /// The array of a way that lies in the block.
  @usableFromInline func nursery(_ table: Int, _ way: Int) -> ECPTWay {
    let log2: UInt64 = [3, 2, 1, 2, 1][table]
    let start: UInt64 = [4096, 5632, 6400, 6784, 7552][table]
    return ECPTWay(base: block.advanced(by: start + UInt64(way) * 64 << log2), log2: log2)
  }

  func isNursery(_ array: ECPTWay) -> Bool { array.base.frame.raw == block.frame.raw + 1 }

  /// The arrays of `table` outside the block; words of zero fill up.
  func arrays(_ table: Int) -> InlineArray<7, ECPTWay> {
    InlineArray { index in
      let offset =
        index == 6
        ? ECPTWord.preparing(table)
        : index < 3 ? ECPTRegisters.current(table, index) : ECPTRegisters.next(table, index - 3)
      let array = ECPTWay(word: word(offset))
      return isNursery(array) ? ECPTWay(word: 0) : array
    }
  }

  /// Notes how many slots `table` has, and whether it needs steps.
  func note(_ table: Int) {
    var slots: UInt64 = 0
    for way in 0..<ECPTFormat.ways {
      let next = next(table, way)
      slots += (next.exists ? next : current(table, way)).clusters
    }
    set(ECPTWord.slots(table), slots)
    let needs = word(ECPTWord.resized(table)) != 0 || word(ECPTRegisters.stash) >> UInt64(table) & 1 != 0
    let bit: UInt64 = 1 << UInt64(table)
    let others = word(ECPTWord.busy) & ~bit
    set(ECPTWord.busy, needs ? others | bit : others)
  }
}

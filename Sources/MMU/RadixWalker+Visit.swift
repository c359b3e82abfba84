// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// Where a radix walk stands and what it took.
@frozen @usableFromInline struct RadixVisit<Shape: RadixShape> {
  /// The table, in bytes; bit 0 is `FPTFormat.rootMark`.
  @usableFromInline var table: UInt64
  /// The level of the table; a flattened one has the entries of the level below.
  @usableFromInline var level: Int
  /// What all entries so far have set: P, R/W and U/S are read from it.
  @usableFromInline var common: UInt64 = ~0
  /// What any entry so far has set: XD is read from it.
  @usableFromInline var any: UInt64 = 0
  @usableFromInline var references: UInt16 = 0
  @usableFromInline var updates: UInt16 = 0
  @usableFromInline var ownCycles: UInt16 = 0

  @inlinable init(_ root: RadixTreeRoot<Shape>, _ address: VirtualAddress) {
    table = root.start(for: address).raw
    level = Shape.rootLevel
  }

  /// Steps through an entry that points to a table.
  @inlinable @inline(__always) mutating func enter(_ raw: UInt64, level: Int) {
    table = raw & X86Entry.addressMask
    if Shape.mayFlatten(level), raw & FPTFormat.mark != 0 { table |= FPTFormat.rootMark }
    common &= raw
    any |= raw
    self.level = level
  }

  /// One entry that stands for all entries so far.
  @inlinable var entry: UInt64 {
    let mark = Shape.mayFlatten(level) && table & FPTFormat.rootMark != 0 ? FPTFormat.mark : 0
    return table & X86Entry.addressMask | mark | common & 7 | any & X86Entry.noExecute
  }

  /// Whether the walk began at what a walk cache remembers.
  @inlinable var isFromCache: Bool { common != ~0 }

  /// Where in a flattened node the entry for `address` is: 18 address bits select it.
  @inlinable func flattenedEntry(_ address: VirtualAddress) -> UInt64 {
    let index = address.raw &>> Shape.shift(level &- 1) & 0x3FFFF
    return table & X86Entry.addressMask &+ index &<< 3
  }

  /// What the entries so far and `raw` grant together, without a page.
  @inlinable @inline(__always) func rights(with raw: UInt64) -> Translation {
    Translation(raw: common & raw & 7 | (~(any | raw) &>> 63) &<< 3)
  }

  /// What the entries so far grant.
  @inlinable var rights: Translation { rights(with: 7) }

  /// Every reference of a radix walk waits for the one before.
  @inlinable @inline(__always) func result(_ outcome: WalkOutcome) -> WalkResult {
    WalkResult(outcome, references: references, rounds: references, updates: updates, ownCycles: ownCycles)
  }
}

// SPDX-License-Identifier: MIT
internal import EntryFormats
public import SimMemory

/// One entry of a page-walk cache.
public struct WalkCacheEntry: Hashable, Sendable {
  /// The level of the entry that was cached: 1 for a page-directory entry, 3 for a PML4 entry, 4 for a PML5 entry.
  public let level: Int
  /// The address space.
  public let spaceID: UInt16
  /// The addresses that the entry covers.
  public let range: VirtualRange
  /// The table that it points to.
  public let table: PhysicalAddress
}

/// The page-walk caches of a radix walker: one array for each upper level, keyed by address space and prefix.
///
/// A cached word is a table entry that grants what all entries down to it grant together (SDM §4.10.3.1): its
/// address, P, R/W, U/S and XD bits.
///
/// SAFETY: `levels` points at four arrays from `init` to `release`.
@safe @frozen public struct WalkCaches: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let levels: UnsafeMutablePointer<TagArray>
  @usableFromInline let cyclesPerProbe: UInt16

  init(_ configuration: RadixWalkerConfiguration) {
    unsafe levels = .allocate(capacity: 4)
    unsafe levels.initialize(to: TagArray(configuration.directoryEntries))
    unsafe (levels + 1).initialize(to: TagArray(configuration.pdptEntries))
    unsafe (levels + 2).initialize(to: TagArray(configuration.pml4Entries))
    unsafe (levels + 3).initialize(to: TagArray(configuration.pml5Entries))
    cyclesPerProbe = configuration.cyclesPerProbe
  }

  func release() {
    for level in 1...4 { array(level).release() }
    unsafe levels.deallocate()
  }

  /// The array of entries at `level`, 1 to 4.
  @inlinable @inline(__always) func array(_ level: Int) -> TagArray {
    assert(level >= 1 && level <= 4, "no walk cache for this level")
    return unsafe levels[level &- 1]
  }

  @inlinable static func shift(_ level: Int) -> UInt64 { UInt64(truncatingIfNeeded: 12 &+ 9 &* level) }

  @inlinable static func tag(_ address: VirtualAddress, _ level: Int, _ spaceID: UInt16) -> UInt64 {
    Tag.of(address, shift: shift(level), sizeClass: UInt64(truncatingIfNeeded: level), spaceID)
  }

  /// The word for `address` at `level`, or 0.
  @inlinable func find(_ address: VirtualAddress, _ level: Int, _ spaceID: UInt16) -> UInt64 {
    let number = address.raw &>> WalkCaches.shift(level)
    let tag = WalkCaches.tag(address, level, spaceID)
    let recent = array(level).mostRecent(tag, number: number)
    return recent != 0 ? recent : findDeeper(tag, number, level)
  }

  @usableFromInline @inline(never) func findDeeper(_ tag: UInt64, _ number: UInt64, _ level: Int) -> UInt64 {
    array(level).find(tag, number: number)
  }

  /// Remembers the table that the entry for `address` at `level` points to; nothing is known of it yet.
  @usableFromInline @inline(never)
  func insert(_ word: UInt64, _ address: VirtualAddress, _ level: Int, _ spaceID: UInt16) {
    array(level).insert(
      WalkCaches.tag(address, level, spaceID), word, number: address.raw &>> WalkCaches.shift(level))
  }

  /// Removes entries that share an address with `range`, of one space or with nil of all.
  @usableFromInline func invalidate(spaceID: UInt16?, range: VirtualRange?) {
    for level in 1...4 {
      let array = array(level)
      if let range {
        array.remove(
          range, shift: WalkCaches.shift(level), sizeClass: UInt64(level), spaceID: spaceID)
      } else if let spaceID {
        array.remove(spaceID: spaceID)
      } else {
        array.removeAll()
      }
    }
  }

  var entries: [WalkCacheEntry] {
    var entries: [WalkCacheEntry] = []
    for level in 1...4 {
      array(level).forEach { tag, word in
        entries.append(
          WalkCacheEntry(
            level: level, spaceID: UInt16(truncatingIfNeeded: tag),
            range: VirtualRange(Tag.start(tag), bytes: 1 << WalkCaches.shift(level)),
            table: PhysicalAddress(word & X86Entry.addressMask)))
      }
    }
    return entries
  }
}

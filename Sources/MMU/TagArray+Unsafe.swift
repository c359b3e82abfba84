// SPDX-License-Identifier: MIT
public import SimMemory

/// The key of a translation in TLBs and walk caches: page, size class and address space in one word.
///
/// ```
///  63...............19  18..16      15..0
///  address bits 56..12  size class  address-space id
/// ```
/// Addresses of up to 57 bits fit (five-level x86 included); whoever looks up checks `covers` first.
@frozen public enum Tag {
  /// A key that no address has; marks an empty slot.
  @inlinable static var empty: UInt64 { 7 &<< 16 }

  /// Whether bits 56 to 63 of `address` are equal, so that its key is its alone.
  @inlinable @inline(__always) static func covers(_ address: VirtualAddress) -> Bool {
    UInt64(bitPattern: Int64(bitPattern: address.raw) &>> 56) &+ 1 <= 1
  }

  /// The key of the page of 1 << `shift` bytes that holds `address`.
  @inlinable @inline(__always)
  static func of(_ address: VirtualAddress, shift: UInt64, sizeClass: UInt64, _ spaceID: UInt16) -> UInt64 {
    (address.raw &>> shift) &<< (shift &+ 7) | sizeClass &<< 16 | UInt64(spaceID)
  }

  /// The start of the page that a key stands for.
  @inlinable static func start(_ tag: UInt64) -> VirtualAddress {
    VirtualAddress(UInt64(bitPattern: Int64(bitPattern: tag & ~0x7FFFF) &>> 7))
  }
}

/// A set-associative cache of translation words, least recently used first out.
///
/// The ways of a set are kept in order of use, so position is age: a hit in the first way changes nothing, other
/// hits move to the front, empty slots are at the back, the last slot is the victim. Any number of sets: a
/// page number's set is its remainder. A capacity of zero is legal and never hits.
///
/// SAFETY: `slots` holds `max(sets * ways, 1)` slots, and one header before them, from `init` to `release`; set
/// indices are remainders.
@safe @frozen public struct TagArray: @unchecked Sendable, BitwiseCopyable {
  /// Key and translation word.
  @frozen @usableFromInline struct Slot: BitwiseCopyable {
    @usableFromInline var tag: UInt64
    @usableFromInline var word: UInt64
    @inlinable init(_ tag: UInt64, _ word: UInt64) {
      self.tag = tag
      self.word = word
    }
    @inlinable static var empty: Slot { Slot(Tag.empty, 0) }
  }

  @usableFromInline let slots: UnsafeMutablePointer<Slot>
  @usableFromInline let sets: UInt64
  @usableFromInline let ways: Int

  /// An empty cache; the creator releases it.
  init(_ geometry: TLBGeometry) {
    ways = geometry.entries == 0 ? 0 : geometry.ways
    sets = ways == 0 ? 0 : UInt64(geometry.sets)
    let count = max(geometry.entries, 1) + 1
    let start = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    unsafe start.initialize(repeating: .empty, count: count)
    unsafe slots = unsafe start + 1
    removeAll()
  }

  func release() { unsafe (slots - 1).deallocate() }

  /// Whether nothing can ever be kept.
  @inlinable var hasNoRoom: Bool { ways == 0 }

  /// Bit n: entries of size class n may be there; all others were never put in since the cache was emptied.
  @inlinable var classes: UInt64 { unsafe slots[-1].word }

  /// The number of a page number's first slot.
  @inlinable @inline(__always) func offset(_ number: UInt64) -> Int {
    let mask = sets &- 1
    let set = sets & mask == 0 ? number & mask : number % sets
    return Int(truncatingIfNeeded: set) &* ways
  }

  /// The word of the most recently used entry of the set, if that has the key; else 0. Moves nothing.
  @inlinable @inline(__always) func mostRecent(_ tag: UInt64, number: UInt64) -> UInt64 {
    let first = unsafe slots + offset(number)
    return unsafe first.pointee.tag == tag ? first.pointee.word : 0
  }

  /// Which way of the set at `first` has the key, or -1. A global entry matches every space.
  @inlinable @inline(__always) func way(_ tag: UInt64, _ first: UnsafeMutablePointer<Slot>) -> Int {
    var way = 0
    while way < ways {
      let difference = unsafe first[way].tag ^ tag
      if difference &>> 16 == 0 {
        if unsafe difference == 0 || first[way].word & Translation.global != 0 { return way }
      }
      way &+= 1
    }
    return -1
  }

  /// The word of the entry with the key, which becomes the most recently used of its set; 0 when there is none.
  @inlinable @inline(__always) func find(_ tag: UInt64, number: UInt64) -> UInt64 {
    let first = unsafe slots + offset(number)
    let way = unsafe way(tag, first)
    if way <= 0 { return unsafe way < 0 ? 0 : first.pointee.word }
    let slot = unsafe first[way]
    unsafe moveToFront(slot, from: way, first)
    return slot.word
  }

  /// The word of the entry with the key, or 0; changes nothing.
  func peek(_ tag: UInt64, number: UInt64) -> UInt64 {
    let first = unsafe slots + offset(number)
    let way = unsafe way(tag, first)
    return unsafe way < 0 ? 0 : first[way].word
  }

  /// Puts an entry in, in the place of the least recently used. No entry has its key yet.
  @inlinable @inline(__always) func insert(_ tag: UInt64, _ word: UInt64, number: UInt64) {
    if ways == 0 { return }
    assert(unsafe way(tag, slots + offset(number)) < 0, "two entries for one page")
    unsafe slots[-1].word |= 1 &<< (tag &>> 16 & 7)
    unsafe moveToFront(Slot(tag, word), from: ways &- 1, slots + offset(number))
  }

  /// Closes the gap at `way` from the front and writes `slot` to the first way.
  @inlinable @inline(__always)
  func moveToFront(_ slot: Slot, from way: Int, _ first: UnsafeMutablePointer<Slot>) {
    var way = way
    while way > 0 {
      unsafe first[way] = unsafe first[way &- 1]
      way &-= 1
    }
    unsafe first.pointee = slot
  }
}

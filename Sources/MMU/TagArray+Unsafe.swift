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
/// SAFETY: `slots` holds `max(sets * ways, 1)` pairs from `init` to `release`; set indices are remainders.
@safe @frozen public struct TagArray: @unchecked Sendable, BitwiseCopyable {
  /// Pairs of key and translation word.
  @usableFromInline let slots: UnsafeMutablePointer<UInt64>
  /// `sets - 1` when that is a mask.
  @usableFromInline let mask: UInt64
  /// The number of sets when it is no power of two, else 0.
  @usableFromInline let modulus: UInt64
  /// Words in a set: two for each way.
  @usableFromInline let stride: Int
  @usableFromInline let sets: Int

  /// An empty cache; the creator releases it.
  @usableFromInline init(_ geometry: TLBGeometry) {
    sets = geometry.entries == 0 ? 0 : geometry.sets
    stride = geometry.entries == 0 ? 0 : geometry.ways * 2
    let isPower = sets & (sets - 1) == 0
    mask = isPower ? UInt64(max(sets, 1) - 1) : 0
    modulus = isPower ? 0 : UInt64(sets)
    let words = max(sets * stride, 2)
    unsafe slots = .allocate(capacity: words)
    unsafe slots.initialize(repeating: 0, count: words)
    unsafe slots[0] = Tag.empty
    removeAll()
  }

  /// Frees the slots.
  @usableFromInline func release() { unsafe slots.deallocate() }

  /// Whether nothing can ever be kept.
  @inlinable var hasNoRoom: Bool { stride == 0 }

  /// The offset of a page number's set.
  @inlinable @inline(__always) func offset(_ number: UInt64) -> Int {
    let set = modulus == 0 ? number & mask : number % modulus
    return Int(truncatingIfNeeded: set) &* stride
  }

  /// The word of the most recently used entry of the set, if that has the key; else 0. Moves nothing.
  @inlinable @inline(__always) func mostRecent(_ tag: UInt64, number: UInt64) -> UInt64 {
    let first = offset(number)
    return unsafe slots[first] == tag ? slots[first &+ 1] : 0
  }

  /// Where in the set the entry with the key is, as an offset, or nil. A global entry matches every space.
  @inlinable func place(_ tag: UInt64, number: UInt64) -> Int? {
    let first = offset(number)
    var place = first
    while place < first &+ stride {
      let difference = unsafe slots[place] ^ tag
      if difference &>> 16 == 0, unsafe difference == 0 || slots[place &+ 1] & Translation.global != 0 {
        return place
      }
      place &+= 2
    }
    return nil
  }

  /// The word of the entry with the key, which becomes the most recently used of its set; 0 when there is none.
  @usableFromInline @inline(never) func find(_ tag: UInt64, number: UInt64) -> UInt64 {
    guard let place = place(tag, number: number) else { return 0 }
    let (key, word) = unsafe (slots[place], slots[place &+ 1])
    moveToFront(key, word, from: place, first: offset(number))
    return word
  }

  /// The word of the entry with the key, or 0; changes nothing.
  @usableFromInline func peek(_ tag: UInt64, number: UInt64) -> UInt64 {
    guard let place = place(tag, number: number) else { return 0 }
    return unsafe slots[place &+ 1]
  }

  /// Puts an entry in, in the place of one with the same key or of the least recently used.
  @usableFromInline @inline(never) func insert(_ tag: UInt64, _ word: UInt64, number: UInt64) {
    guard stride > 0 else { return }
    let first = offset(number)
    let victim = place(tag, number: number) ?? (first &+ stride &- 2)
    moveToFront(tag, word, from: victim, first: first)
  }

  /// Closes the gap at `place` from the front and writes the pair to the first way.
  @inlinable func moveToFront(_ tag: UInt64, _ word: UInt64, from place: Int, first: Int) {
    var place = place
    while place > first {
      unsafe slots[place] = unsafe slots[place &- 2]
      unsafe slots[place &+ 1] = unsafe slots[place &- 1]
      place &-= 2
    }
    unsafe slots[first] = tag
    unsafe slots[first &+ 1] = word
  }
}

// SPDX-License-Identifier: MIT
internal import Mutations
public import SimMemory

/// One TLB: an array for each page size; sizes that share one hold the same handle.
///
/// Size classes: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB.
///
/// SAFETY: `arrays` points at three arrays from `init` to `release`.
@safe @frozen public struct TLBLevel: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let arrays: UnsafeMutablePointer<TagArray>

  init(_ configuration: TLBLevelConfiguration) {
    let base = TagArray(configuration.base)
    func array(_ placement: TLBPlacement) -> TagArray {
      switch placement {
      case .own(let geometry): TagArray(geometry)
      case .unified: base
      case .none: TagArray(TLBGeometry(entries: 0, ways: 1))
      }
    }
    unsafe arrays = .allocate(capacity: 3)
    unsafe arrays.initialize(to: base)
    unsafe (arrays + 1).initialize(to: array(configuration.twoMiB))
    unsafe (arrays + 2).initialize(to: array(configuration.oneGiB))
  }

  func release() {
    forEachArray { $0.release() }
    unsafe arrays.deallocate()
  }

  /// The array of a size class.
  @inlinable @inline(__always) func array(_ sizeClass: UInt64) -> TagArray {
    unsafe arrays[Int(truncatingIfNeeded: sizeClass)]
  }

  /// The binary logarithm of a class's page size.
  @inlinable @inline(__always) static func shift(_ sizeClass: UInt64) -> UInt64 { 12 &+ 9 &* sizeClass }

  /// The largest class whose pages are not larger than `size`.
  @inlinable static func sizeClass(_ size: PageSize) -> UInt64 {
    size.shift >= 30 ? 2 : size.shift >= 21 ? 1 : 0
  }

  /// The entry of one size for `address`, made the most recently used of its set; 0 when there is none.
  @inlinable @inline(__always)
  func find(_ address: VirtualAddress, _ spaceID: UInt16, sizeClass: UInt64) -> UInt64 {
    let array = array(sizeClass)
    if array.classes &>> sizeClass & 1 == 0 { return 0 }
    let shift = TLBLevel.shift(sizeClass)
    let tag = Tag.of(address, shift: shift, sizeClass: sizeClass, spaceID)
    return array.find(tag, number: address.raw &>> shift)
  }

  /// The entry for `address`, made the most recently used of its set; zero bits when there is none.
  @usableFromInline @inline(never)
  func find(_ address: VirtualAddress, _ spaceID: UInt16) -> Translation {
    let small = find(address, spaceID, sizeClass: 0)
    if small != 0 { return Translation(raw: small) }
    let large = find(address, spaceID, sizeClass: 1)
    if large != 0 { return Translation(raw: large) }
    return Translation(raw: find(address, spaceID, sizeClass: 2))
  }

  /// The entry for `address`, untouched; zero bits when there is none.
  func peek(_ address: VirtualAddress, _ spaceID: UInt16) -> Translation {
    for sizeClass in UInt64(0)..<3 {
      let shift = TLBLevel.shift(sizeClass)
      let tag = Tag.of(address, shift: shift, sizeClass: sizeClass, spaceID)
      let word = array(sizeClass).peek(tag, number: address.raw &>> shift)
      if word != 0 { return Translation(raw: word) }
    }
    return Translation(raw: 0)
  }

  /// Keeps a translation of the page that holds `address`, in the largest piece that the level has room for. The
  /// level has no entry for the address yet.
  @usableFromInline @inline(never)
  func insert(_ translation: Translation, _ address: VirtualAddress, _ spaceID: UInt16) {
    let size = translation.size
    if size == .base {
      let tag = Tag.of(address, shift: 12, sizeClass: 0, spaceID)
      return array(0).insert(tag, translation.raw, number: address.raw &>> 12)
    }
    var sizeClass = TLBLevel.sizeClass(size)
    while sizeClass > 0, array(sizeClass).hasNoRoom { sizeClass &-= 1 }
    let shift = TLBLevel.shift(sizeClass)
    let part = translation.part(address, PageSize(shift: UInt8(truncatingIfNeeded: shift)))
    let tag = Tag.of(address, shift: shift, sizeClass: sizeClass, spaceID)
    array(sizeClass).insert(tag, part.raw, number: address.raw &>> shift)
  }

  /// Removes whatever would answer for `address` of a space.
  func forget(_ address: VirtualAddress, _ spaceID: UInt16) {
    for sizeClass in UInt64(0)..<3 {
      let shift = TLBLevel.shift(sizeClass)
      let tag = Tag.of(address, shift: shift, sizeClass: sizeClass, spaceID)
      array(sizeClass).remove(matching: tag, number: address.raw &>> shift)
    }
  }

  /// Each array once.
  func forEachArray(_ body: (TagArray) -> Void) {
    for sizeClass in UInt64(0)..<3 {
      if sizeClass > 0, unsafe array(sizeClass).slots == array(0).slots { continue }
      body(array(sizeClass))
    }
  }

  /// Removes one space's entries, or everybody's when `spaceID` is nil, in `range` or everywhere.
  func invalidate(spaceID: UInt16?, range: VirtualRange?) {
    guard let range else {
      return forEachArray { array in
        if let spaceID { array.remove(spaceID: spaceID) } else { array.removeAll() }
      }
    }
    for sizeClass in UInt64(0)..<(Mutation.largeEntriesKept.isPlanted ? 1 : 3) {
      array(sizeClass).remove(
        range, shift: TLBLevel.shift(sizeClass), sizeClass: sizeClass, spaceID: spaceID)
    }
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// One TLB: an array for each page size; sizes that share one hold the same handle.
///
/// Size classes: 0 is 4 KiB, 1 is 2 MiB, 2 is 1 GiB.
@frozen public struct TLBLevel: Sendable, BitwiseCopyable {
  @usableFromInline let base: TagArray
  @usableFromInline let twoMiB: TagArray
  @usableFromInline let oneGiB: TagArray
  /// Bit n: class n has an array that no lower class has.
  @usableFromInline let owned: UInt8

  init(_ configuration: TLBLevelConfiguration) {
    let base = TagArray(configuration.base)
    func array(_ placement: TLBPlacement) -> TagArray {
      switch placement {
      case .own(let geometry): TagArray(geometry)
      case .unified: base
      case .none: TagArray(TLBGeometry(entries: 0, ways: 1))
      }
    }
    self.base = base
    twoMiB = array(configuration.twoMiB)
    oneGiB = array(configuration.oneGiB)
    owned = 1 | (configuration.twoMiB == .unified ? 0 : 2) | (configuration.oneGiB == .unified ? 0 : 4)
  }

  func release() { forEachArray { $0.release() } }

  /// The array of a size class.
  @inlinable func array(_ sizeClass: UInt64) -> TagArray {
    sizeClass == 0 ? base : sizeClass == 1 ? twoMiB : oneGiB
  }

  /// The binary logarithm of a class's page size.
  @inlinable static func shift(_ sizeClass: UInt64) -> UInt64 { 12 &+ 9 &* sizeClass }

  /// The largest class whose pages are not larger than `size`.
  @inlinable static func sizeClass(_ size: PageSize) -> UInt64 {
    size.shift >= 30 ? 2 : size.shift >= 21 ? 1 : 0
  }

  /// The entry for `address`, made the most recently used of its set; zero bits when there is none.
  @usableFromInline func find(_ address: VirtualAddress, _ spaceID: UInt16) -> Translation {
    for sizeClass in UInt64(0)..<3 {
      let array = array(sizeClass)
      if array.hasNoRoom { continue }
      let shift = TLBLevel.shift(sizeClass)
      let tag = Tag.of(address, shift: shift, sizeClass: sizeClass, spaceID)
      let word = array.find(tag, number: address.raw &>> shift)
      if word != 0 { return Translation(raw: word) }
    }
    return Translation(raw: 0)
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

  /// Keeps a translation of the page that holds `address`, in the largest piece that the level has room for.
  @usableFromInline
  func insert(_ translation: Translation, _ address: VirtualAddress, _ spaceID: UInt16) {
    var sizeClass = TLBLevel.sizeClass(translation.size)
    while sizeClass > 0, array(sizeClass).hasNoRoom { sizeClass -= 1 }
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
    for sizeClass in UInt64(0)..<3 where owned >> sizeClass & 1 == 1 { body(array(sizeClass)) }
  }

  /// Removes one space's entries, or everybody's when `spaceID` is nil, in `range` or everywhere.
  func invalidate(spaceID: UInt16?, range: VirtualRange?) {
    guard let range else {
      return forEachArray { array in
        if let spaceID { array.remove(spaceID: spaceID) } else { array.removeAll() }
      }
    }
    for sizeClass in UInt64(0)..<3 {
      array(sizeClass).remove(
        range, shift: TLBLevel.shift(sizeClass), sizeClass: sizeClass, spaceID: spaceID)
    }
  }
}

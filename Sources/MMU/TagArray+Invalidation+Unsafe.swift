// SPDX-License-Identifier: MIT
internal import SimMemory

// SAFETY of this file: places run over the pairs of existing sets only; see TagArray.
extension TagArray {
  /// Empties the cache.
  func removeAll() {
    unsafe slots[-1] = .empty
    for place in 0..<Int(sets) * ways { unsafe slots[place] = .empty }
  }

  /// Removes the entries of one address space but not global ones.
  func remove(spaceID: UInt16) {
    removeEach(from: 0, sets: Int(sets)) { tag, word in
      tag & 0xFFFF == UInt64(spaceID) && word & Translation.global == 0
    }
  }

  /// Removes the entries that `find` could return for a key.
  func remove(matching tag: UInt64, number: UInt64) {
    removeEach(from: offset(number), sets: min(Int(sets), 1)) { other, word in
      (other ^ tag) >> 16 == 0 && (other == tag || word & Translation.global != 0)
    }
  }

  /// Removes entries of one size whose page shares an address with `range`: those of `spaceID` that are not
  /// global, or with nil all of them.
  func remove(_ range: VirtualRange, shift: UInt64, sizeClass: UInt64, spaceID: UInt16?) {
    guard range.start != range.end, sets > 0 else { return }
    // The end of a range that reaches the top of the address space is 0.
    let last = range.end.raw &- 1
    guard range.start.raw <= last else { return }
    let (firstPage, lastPage) = (range.start.raw >> shift, last >> shift)
    func isMeant(_ tag: UInt64, _ word: UInt64) -> Bool {
      let page = Tag.start(tag).raw >> shift
      guard tag >> 16 & 7 == sizeClass, page >= firstPage, page <= lastPage else { return false }
      guard let spaceID else { return true }
      return tag & 0xFFFF == UInt64(spaceID) && word & Translation.global == 0
    }
    if lastPage - firstPage < sets {
      for page in firstPage...lastPage { removeEach(from: offset(page), sets: 1, isMeant) }
    } else {
      removeEach(from: 0, sets: Int(sets), isMeant)
    }
  }

  /// Removes the entries that `isMeant` names from some sets; the others keep their order.
  private func removeEach(from offset: Int, sets count: Int, _ isMeant: (UInt64, UInt64) -> Bool) {
    for set in 0..<count {
      let first = unsafe slots + (offset + set * ways)
      var kept = 0
      for way in 0..<ways {
        let slot = unsafe first[way]
        if slot.tag == Tag.empty { break }
        if isMeant(slot.tag, slot.word) { continue }
        unsafe first[kept] = slot
        kept += 1
      }
      while kept < ways, unsafe first[kept].tag != Tag.empty {
        unsafe first[kept] = .empty
        kept += 1
      }
    }
  }

  /// All entries, set by set, most recently used first.
  func forEach(_ body: (_ tag: UInt64, _ word: UInt64) -> Void) {
    for place in 0..<Int(sets) * ways {
      let slot = unsafe slots[place]
      if slot.tag != Tag.empty { body(slot.tag, slot.word) }
    }
  }
}

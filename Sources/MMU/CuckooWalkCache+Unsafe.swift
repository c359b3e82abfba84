// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// A cuckoo walk cache: whole rows of a walk table, fully associative, least recently used first out.
///
/// Nobody tells it about changes of headers: a walk that finds nothing where a row sends it tries everywhere else.
///
/// SAFETY: `words` holds `capacity` keys, as many stamps and eight words for each row, from `init` to `release`.
@safe @frozen public struct CuckooWalkCache: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let words: UnsafeMutablePointer<UInt64>
  @usableFromInline let capacity: Int

  init(entries: Int) {
    capacity = entries
    unsafe words = .allocate(capacity: entries * 10 + 1)
    unsafe words.initialize(repeating: 0, count: entries * 10 + 1)
  }

  func release() { unsafe words.deallocate() }

  /// The key of a row of an address space; never zero.
  @inlinable static func key(_ number: UInt64, _ spaceID: UInt16) -> UInt64 {
    1 &<< 63 | number &<< 16 | UInt64(spaceID)
  }

  /// The header of a section of the row with `key`, nil when the row is not here.
  @inlinable func header(_ key: UInt64, section: UInt64) -> UInt64? {
    for entry in 0..<capacity where unsafe words[entry] == key {
      unsafe words[capacity * 10] &+= 1
      unsafe words[capacity + entry] = words[capacity * 10]
      let word = unsafe words[capacity * 2 + entry * 8 + Int(section &>> 3)]
      return word &>> ((section & 7) &<< 3) & ECPTRow.header
    }
    return nil
  }

  /// Keeps the row at `row`, in the place of what it was or of the row that was not used for the longest time.
  @usableFromInline func insert(_ key: UInt64, _ row: PhysicalAddress, _ memory: PhysicalMemory) {
    guard capacity > 0 else { return }
    var victim = 0
    for entry in 0..<capacity {
      if unsafe words[entry] == key {
        victim = entry
        break
      }
      if unsafe words[capacity + entry] < words[capacity + victim] { victim = entry }
    }
    unsafe words[capacity * 10] &+= 1
    unsafe words[victim] = key
    unsafe words[capacity + victim] = words[capacity * 10]
    for word in 0..<8 {
      unsafe words[capacity * 2 + victim * 8 + word] = memory.loadAcquire(row.advanced(by: UInt64(word) << 3))
    }
  }

  /// Forgets the rows of one address space, or with nil of all.
  @usableFromInline func removeAll(spaceID: UInt16?) {
    for entry in 0..<capacity {
      if let spaceID, unsafe words[entry] & 0xFFFF != UInt64(spaceID) { continue }
      unsafe words[entry] = 0
      unsafe words[capacity + entry] = 0
    }
  }
}

/// Which register images the walker holds a copy of: for each half of the address space where, and of which epoch.
///
/// SAFETY: four words from `init` to `release`.
@safe @frozen public struct RegisterCopy: @unchecked Sendable, BitwiseCopyable {
  @usableFromInline let words: UnsafeMutablePointer<UInt64>

  init() {
    unsafe words = .allocate(capacity: 4)
    unsafe words.initialize(repeating: ~0, count: 4)
  }

  func release() { unsafe words.deallocate() }

  /// Takes note of an image.
  /// - Returns: whether it has to be read again.
  @inlinable func update(_ image: PhysicalAddress, epoch: UInt64, half: Int) -> Bool {
    if unsafe words[half * 2] == image.raw && words[half * 2 + 1] == epoch { return false }
    unsafe words[half * 2] = image.raw
    unsafe words[half * 2 + 1] = epoch
    return true
  }
}

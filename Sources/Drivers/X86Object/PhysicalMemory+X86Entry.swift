// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

extension PhysicalMemory {
  /// Replaces the mapping in an entry by what `body` makes of it, but for the bits to be kept: the scheme's, if nothing else
  /// is said. Tries again when another thread or hardware was quicker.
  /// - Parameter seen: what was read there.
  /// - Returns: the entry before.
  @inlinable @inline(__always) @discardableResult
  public func change(
    _ word: PhysicalAddress, _ seen: UInt64, keeping kept: UInt64 = X86Entry.schemeMask,
    _ body: (UInt64) -> UInt64
  ) -> UInt64 {
    var seen = seen
    while true {
      let entry = body(seen & ~X86Entry.schemeMask) | seen & kept
      if entry == seen { return seen }
      let found = compareExchange(seen, entry, at: word)
      if found == seen { return seen }
      seen = found
    }
  }
}

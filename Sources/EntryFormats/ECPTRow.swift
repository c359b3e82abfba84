// SPDX-License-Identifier: MIT

/// A row of a cuckoo walk table: 64 one-byte section headers, which tell the walker which ways may hold a page.
///
/// ```
/// header  bit 0 1 GiB pages, bit 1 2 MiB pages, bit 2 4 KiB pages are mapped in the section
///         bits 3–4 the way of the section's cluster of large pages (2 MiB in table 3, 1 GiB in table 4); 3: stash
///         bits 5–7 of headers 0–5: the row's number, three bits each
///         bits 5–7 of headers 61–63: how many headers say anything; 0: the slot is free
/// ```
/// A section is the span of one cluster: 16 MiB in table 3 ("PMD"), 8 GiB in table 4 ("PUD"); a row is 1 GiB or
/// 512 GiB. The layout is that of the EMT artifact; its headers were never cleared, these are exact.
@frozen public enum ECPTRow {
  /// 1 GiB pages are mapped in the section.
  @inlinable public static var giant: UInt64 { 1 }
  /// 2 MiB pages are mapped in the section.
  @inlinable public static var huge: UInt64 { 2 }
  /// 4 KiB pages are mapped in the section.
  @inlinable public static var base: UInt64 { 4 }
  /// Where the way starts in a header.
  @inlinable public static var wayShift: UInt64 { 3 }
  /// All bits of a header that belong to the section.
  @inlinable public static var header: UInt64 { 0x1F }
  /// The count's bits in the last word.
  @inlinable public static var countMask: UInt64 { 7 &<< 45 | 7 &<< 53 | 7 &<< 61 }
  /// The tag's bits in the first word.
  @inlinable public static var tagMask: UInt64 { 0xE0_E0E0_E0E0_E0 }

  /// The first word's bits for a row's number.
  @inlinable public static func tag(_ number: UInt64) -> UInt64 {
    var bits: UInt64 = 0
    for part in 0..<UInt64(6) { bits |= (number &>> (part &* 3) & 7) &<< (part &* 8 &+ 5) }
    return bits
  }

  /// The number that the first word holds.
  @inlinable public static func number(_ first: UInt64) -> UInt64 {
    var number: UInt64 = 0
    for part in 0..<UInt64(6) { number |= (first &>> (part &* 8 &+ 5) & 7) &<< (part &* 3) }
    return number
  }

  /// The last word's bits for a count.
  @inlinable public static func count(_ count: UInt64) -> UInt64 {
    (count & 7) &<< 45 | (count &>> 3 & 7) &<< 53 | (count &>> 6 & 7) &<< 61
  }

  /// The count that the last word holds.
  @inlinable public static func count(in last: UInt64) -> UInt64 {
    last &>> 45 & 7 | (last &>> 53 & 7) &<< 3 | (last &>> 61 & 7) &<< 6
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// Where to look for the translations of a page: kept in the frame's word of the frame table.
///
/// Bit 63 says that the page is anonymous, bits 40–62 hold the number of its anonymous group or file, bits 0–39 its
/// page offset in that.
@frozen public struct PageKey: Sendable, Hashable, BitwiseCopyable {
  /// The word.
  public let word: UInt64

  /// The key that `word` holds.
  @inlinable public init(word: UInt64) { self.word = word }

  /// A private page of `group`, which had page offset `page` when it was mapped first.
  @inlinable public init(group: UInt32, page: UInt64) {
    word = 1 &<< 63 | UInt64(group) &<< 40 | page & PageKey.pageMask
  }

  /// Page `page` of `file`.
  @inlinable public init(file: FileID, page: UInt64) {
    word = UInt64(file.raw) &<< 40 | page & PageKey.pageMask
  }

  @inlinable static var pageMask: UInt64 { 1 &<< 40 &- 1 }

  /// The page that equal pages were merged into under the number `node`: it has translations in many groups, which the
  /// job that merged them knows. No group has the number 0.
  @inlinable public init(merged node: UInt64) { self.init(group: 0, page: node) }

  /// Whether the page was made by merging.
  @inlinable public var isMerged: Bool { word &>> 40 == 1 &<< 23 }
  /// Whether the page belongs to a group of private pages, not to a file.
  @inlinable public var isAnonymous: Bool { word &>> 63 == 1 }
  /// The number of the group or of the file.
  @inlinable public var number: UInt32 { UInt32(truncatingIfNeeded: word &>> 40 & 0x7F_FFFF) }
  /// The page's offset in the group's areas or in the file.
  @inlinable public var page: UInt64 { word & PageKey.pageMask }

  /// Whether `area` may map pages of the same group or file.
  @inlinable func mayBe(in area: VMA) -> Bool {
    isAnonymous ? area.group == number : area.file.raw == number
  }

  /// Where `area` would map the page, if it reaches that far. Offsets are compared modulo 2^40 pages, which no area has.
  @inlinable func address(in area: VMA) -> VirtualAddress? {
    let first = area.offset &>> UInt64(PageSize.baseShift)
    let distance = (page &- first) & PageKey.pageMask
    guard distance < area.range.pages else { return nil }
    return area.range.start.advanced(by: distance &<< UInt64(PageSize.baseShift))
  }
}

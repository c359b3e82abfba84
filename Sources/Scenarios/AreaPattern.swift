// SPDX-License-Identifier: MIT
internal import SimMemory
public import VMM

/// A stretch of addresses as a case expects it: an area, or a hole.
public struct AreaPattern: Sendable, Equatable {
  /// Base pages.
  public var pages: UInt64
  /// What the area allows; nil for a hole.
  public var rights: Rights?
  /// Whether it is shared.
  public var isShared = false
  /// Where in the file it begins, in bytes; nil when that does not matter.
  public var offset: UInt64?

  /// An area.
  public static func area(
    _ pages: UInt64, _ rights: Rights = [.read, .write], shared isShared: Bool = false, offset: UInt64? = nil
  ) -> AreaPattern {
    AreaPattern(pages: pages, rights: rights, isShared: isShared, offset: offset)
  }

  /// Addresses where nothing is mapped.
  public static func hole(_ pages: UInt64) -> AreaPattern { AreaPattern(pages: pages, rights: nil) }

  /// As in /proc/PID/maps: `rw-p 3`, `hole 1`, `r--s 2 @0x1000`.
  public var text: String {
    guard let rights else { return "hole \(pages)" }
    let place = offset.map { " @0x" + String($0, radix: 16) } ?? ""
    return "\(rights.text)\(isShared ? "s" : "p") \(pages)\(place)"
  }

  /// Whether `self`, which was found, is what `expected` wants.
  func fits(_ expected: AreaPattern) -> Bool {
    pages == expected.pages && rights == expected.rights && isShared == expected.isShared
      && (expected.offset == nil || offset == expected.offset)
  }

  /// What there is from `start` on, `pages` long; areas that reach out of that are shown as a whole.
  static func found(_ layout: SpaceLayout, _ start: UInt64, pages: UInt64) -> [AreaPattern] {
    var found: [AreaPattern] = []
    var next = start
    let end = start + pages << 12
    for area in layout.areas.overlapping(VirtualRange(VirtualAddress(start), VirtualAddress(end))) {
      if area.range.start.raw > next { found.append(.hole((area.range.start.raw - next) >> 12)) }
      let offset = area.isAnonymous ? nil : area.offset
      found.append(.area(area.range.pages, area.rights, shared: !area.isPrivate, offset: offset))
      next = area.range.end.raw
    }
    if next < end { found.append(.hole((end - next) >> 12)) }
    return found
  }
}

// SPDX-License-Identifier: MIT
internal import SimMemory

/// The naive model of an address space's layout: what is known of every single page, in a dictionary.
///
/// It follows system calls that succeeded, page by page, without areas, merging or splitting. The layout that the
/// memory manager keeps must say the same about every page. Obviously correct, and slow.
public struct ModelAddressSpace: Sendable {
  /// What is known of one page.
  public struct Page: Sendable, Equatable {
    /// PROT_* bits.
    public var rights: UInt8
    /// Whether stores reach a file or another process.
    public var isShared: Bool

    /// A page with these properties.
    public init(rights: UInt8, isShared: Bool) {
      self.rights = rights
      self.isShared = isShared
    }
  }
  /// The mapped pages by page number.
  public private(set) var pages: [UInt64: Page] = [:]
  /// The end of the break; nil before the first `brk`.
  private var breakEnd: UInt64?

  /// Nothing mapped.
  public init() {}

  /// `mmap` returned `start`.
  public mutating func map(_ start: UInt64, length: UInt64, rights: UInt64, flags: UInt64) {
    let page = Page(rights: UInt8(truncatingIfNeeded: rights & 7), isShared: flags & 0xF != 2)
    for number in numbers(start, length) { pages[number] = page }
  }

  /// `munmap` succeeded.
  public mutating func unmap(_ start: UInt64, length: UInt64) {
    for number in numbers(start, length) { pages[number] = nil }
  }

  /// `mprotect` succeeded. Pages that are not known here were mapped by the loader.
  public mutating func protect(_ start: UInt64, length: UInt64, rights: UInt64) {
    for number in numbers(start, length) { pages[number]?.rights = UInt8(truncatingIfNeeded: rights & 7) }
  }

  /// `mremap` moved or resized a mapping, which now starts at `target`. With `keepsSource` the old pages stay mapped.
  public mutating func remap(
    _ start: UInt64, length: UInt64, newLength: UInt64, target: UInt64, keepsSource: Bool
  ) {
    let old = numbers(start, max(length, 1)).map { pages[$0] }
    guard let last = old.last, let filler = last ?? old.compactMap({ $0 }).last else { return }
    if !keepsSource, length > 0 { unmap(start, length: length) }
    for (index, number) in numbers(target, newLength).enumerated() {
      pages[number] = index < old.count ? old[index] ?? filler : filler
    }
  }

  /// `brk` returned `end`.
  public mutating func moveBreak(to end: UInt64) {
    defer { breakEnd = end }
    guard let old = breakEnd else { return }
    let (oldTop, newTop) = ((old + 4095) >> 12, (end + 4095) >> 12)
    if newTop > oldTop {
      for number in oldTop..<newTop { pages[number] = Page(rights: 3, isShared: false) }
    } else {
      for number in newTop..<oldTop { pages[number] = nil }
    }
  }

  /// Takes over what somebody else knows about a page: for effects that no call describes.
  public mutating func adopt(_ number: UInt64, _ page: Page?) { pages[number] = page }

  private func numbers(_ start: UInt64, _ length: UInt64) -> Range<UInt64> {
    (start >> 12)..<((start >> 12) + ((length + 4095) >> 12))
  }
}

// SPDX-License-Identifier: MIT

/// The naive model of a file in memory: its size, and the contents of every page that was written.
public struct ModelFile: Sendable {
  /// The size in whole pages.
  public private(set) var pageCount: UInt64
  /// F_SEAL_* bits.
  public var seals: UInt64 = 0
  private var pages: [UInt64: ModelContents] = [:]

  /// A file of zeroes.
  public init(pageCount: UInt64) { self.pageCount = pageCount }

  /// What a page holds.
  public subscript(page: UInt64) -> ModelContents {
    get { pages[page] ?? ModelContents() }
    set { pages[page] = newValue.isEmpty ? nil : newValue }
  }

  /// Makes pages read as zero again.
  public mutating func clear(_ range: Range<UInt64>) {
    for page in pages.keys.filter(range.contains) { pages[page] = nil }
  }

  /// Another size; pages behind the new end are gone.
  public mutating func resize(toPages count: UInt64) {
    clear(count..<UInt64.max)
    pageCount = count
  }
}

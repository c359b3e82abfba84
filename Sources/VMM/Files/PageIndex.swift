// SPDX-License-Identifier: MIT
public import SimMemory

/// Which frame holds which page of a file: a sparse array in chunks of 512 pages, so that a huge sparse file costs
/// little and order is the file's own.
public struct PageIndex: Sendable {
  private static let chunk = 512
  private var chunks: [[UInt32]] = []
  /// How many pages are there.
  public private(set) var count = 0

  /// The most pages a file can have here: 16 TiB.
  public static var maximumPages: UInt64 { 1 << 32 }

  /// No pages.
  public init() {}

  /// The frame of `page`, nil when it is not in memory.
  public subscript(page: UInt64) -> FrameNumber? {
    let (chunk, slot) = (Int(page / 512), Int(page % 512))
    guard chunk < chunks.count, !chunks[chunk].isEmpty, chunks[chunk][slot] != 0 else { return nil }
    return FrameNumber(UInt64(chunks[chunk][slot]))
  }

  /// Records that `frame` holds `page`, which was not in memory.
  public mutating func insert(_ frame: FrameNumber, at page: UInt64) {
    let (chunk, slot) = (Int(page / 512), Int(page % 512))
    if chunk >= chunks.count {
      chunks.append(contentsOf: repeatElement([], count: chunk + 1 - chunks.count))
    }
    if chunks[chunk].isEmpty { chunks[chunk] = Array(repeating: 0, count: PageIndex.chunk) }
    precondition(chunks[chunk][slot] == 0, "the page is in memory already")
    chunks[chunk][slot] = UInt32(truncatingIfNeeded: frame.raw)
    count += 1
  }

  /// Forgets the frame of `page`, which is in memory.
  mutating func take(_ page: UInt64) {
    let (chunk, slot) = (Int(page / 512), Int(page % 512))
    precondition(chunks[chunk][slot] != 0, "the page is not in memory")
    chunks[chunk][slot] = 0
    count -= 1
  }

  /// The pages in `pages` that are in memory, in order.
  func pages(in pages: Range<UInt64>) -> [UInt64] {
    var found: [UInt64] = []
    var page = pages.lowerBound
    let end = Swift.min(pages.upperBound, UInt64(chunks.count) * 512)
    while page < end {
      if chunks[Int(page / 512)].isEmpty {
        page = (page / 512 + 1) * 512
      } else {
        if self[page] != nil { found.append(page) }
        page += 1
      }
    }
    return found
  }

  /// Forgets the frames of the pages in `pages`.
  /// - Returns: the pages that were in memory, in order, with their frames.
  public mutating func remove(_ pages: Range<UInt64>) -> [(page: UInt64, frame: FrameNumber)] {
    var removed: [(page: UInt64, frame: FrameNumber)] = []
    let end = Swift.min(pages.upperBound, UInt64(chunks.count) * 512)
    var page = pages.lowerBound
    while page < end {
      let (chunk, slot) = (Int(page / 512), Int(page % 512))
      guard !chunks[chunk].isEmpty else {
        page = UInt64(chunk + 1) * 512
        continue
      }
      if chunks[chunk][slot] != 0 {
        removed.append((page, FrameNumber(UInt64(chunks[chunk][slot]))))
        chunks[chunk][slot] = 0
        count -= 1
      }
      page += 1
    }
    return removed
  }
}

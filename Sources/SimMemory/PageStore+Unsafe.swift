// SPDX-License-Identifier: MIT
internal import Glibc

/// Pages of contents outside simulated memory: host memory that stands for a disk.
///
/// Sparse: pages that were never written, or were discarded, cost nothing and read as zero. Grows in chunks of 512 pages
/// that the host fills as they are touched. One thread at a time works on a store.
///
/// SAFETY: every chunk is one `calloc` of `chunkBytes`, freed once; offsets are page numbers within the chunk.
@safe public final class PageStore {
  @safe private struct Chunk {
    let bytes: UnsafeMutableRawPointer
    /// Bit n says that page n holds contents.
    var present: InlineArray<8, UInt64>
    var count: Int
  }
  private static var chunkPages: UInt64 { 512 }
  private static var pageBytes: Int { 4096 }

  private var chunks: ContiguousArray<Chunk?> = []
  /// How many pages hold contents.
  public private(set) var count: UInt64 = 0

  /// An empty store.
  public init() {}

  deinit {
    for case let chunk? in chunks { unsafe free(chunk.bytes) }
  }

  /// Whether `page` was written and not discarded since.
  public func contains(_ page: UInt64) -> Bool {
    let (index, slot) = PageStore.place(page)
    guard index < chunks.count, let chunk = chunks[index] else { return false }
    return chunk.present[slot >> 6] >> UInt64(slot & 63) & 1 == 1
  }

  /// Stores the frame at `source` as `page`.
  ///
  /// Never inlined, and `read` neither: who counts instructions leaves them out by their names. So they must not call
  /// other functions that are left out.
  @inline(never) public func write(_ page: UInt64, from source: FrameNumber, in memory: PhysicalMemory) {
    unsafe _ = memcpy(bytes(of: page), memory.pointer(source.address, bytes: 4096), PageStore.pageBytes)
  }

  /// Fills the frame at `target` with the contents of `page`; zeroes where there are none.
  @inline(never) public func read(_ page: UInt64, into target: FrameNumber, in memory: PhysicalMemory) {
    let frame = unsafe memory.pointer(target.address, bytes: 4096)
    if contains(page) {
      unsafe _ = memcpy(frame, bytes(of: page), PageStore.pageBytes)
    } else {
      unsafe _ = memset(frame, 0, PageStore.pageBytes)
    }
  }

  /// Makes `range` of the bytes of `page` zero.
  public func zero(_ page: UInt64, _ range: Range<Int>) {
    guard contains(page) else { return }
    unsafe _ = memset(bytes(of: page) + range.lowerBound, 0, range.count)
  }

  /// Forgets the contents of `page`.
  public func discard(_ page: UInt64) {
    guard contains(page) else { return }
    let (index, slot) = PageStore.place(page)
    guard var chunk = chunks[index] else { return }
    chunk.present[slot >> 6] &= ~(1 << UInt64(slot & 63))
    chunk.count -= 1
    count -= 1
    if chunk.count == 0 {
      unsafe free(chunk.bytes)
      chunks[index] = nil
    } else {
      chunks[index] = chunk
    }
  }

  /// The pages in `pages` that hold contents, in order.
  public func pages(in pages: Range<UInt64>) -> [UInt64] {
    var found: [UInt64] = []
    var page = pages.lowerBound
    let end = Swift.min(pages.upperBound, UInt64(chunks.count) * PageStore.chunkPages)
    while page < end {
      if chunks[PageStore.place(page).chunk] == nil {
        page = (page / PageStore.chunkPages + 1) * PageStore.chunkPages
        continue
      }
      if contains(page) { found.append(page) }
      page += 1
    }
    return found
  }

  /// What `digest` gives for a page of zeros.
  public static let digestOfZeros = PageStore().digest(of: 0)

  /// A 64-bit digest of the contents of `page`, the same that `PhysicalMemory.digest` computes of a frame.
  public func digest(of page: UInt64) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    let isThere = contains(page)
    for offset in stride(from: 0, to: PageStore.pageBytes, by: 8) {
      let word = isThere ? unsafe bytes(of: page).loadUnaligned(fromByteOffset: offset, as: UInt64.self) : 0
      hash = (hash ^ word) &* 0x100_0000_01b3
    }
    return hash
  }

  private static func place(_ page: UInt64) -> (chunk: Int, slot: Int) {
    (Int(page / chunkPages), Int(page % chunkPages))
  }

  /// The host bytes of `page`, which holds contents from now on.
  private func bytes(of page: UInt64) -> UnsafeMutableRawPointer {
    let (index, slot) = PageStore.place(page)
    while chunks.count <= index { chunks.append(nil) }
    var chunk: Chunk
    if let known = chunks[index] {
      chunk = known
    } else {
      guard let fresh = unsafe calloc(Int(PageStore.chunkPages), PageStore.pageBytes) else {
        preconditionFailure("the host has no memory for 2 MiB of simulated storage")
      }
      chunk = unsafe Chunk(bytes: fresh, present: InlineArray(repeating: 0), count: 0)
    }
    let bit: UInt64 = 1 << UInt64(slot & 63)
    if chunk.present[slot >> 6] & bit == 0 {
      chunk.present[slot >> 6] |= bit
      chunk.count += 1
      count += 1
    }
    chunks[index] = chunk
    return unsafe chunk.bytes + slot * PageStore.pageBytes
  }
}

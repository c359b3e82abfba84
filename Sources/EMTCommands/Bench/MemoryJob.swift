// SPDX-License-Identifier: MIT
public import EMTCore
internal import SimMemory

/// Measures the bytes of a driver's tables: exact, nothing is modelled.
@usableFromInline struct MemoryJob: Sendable {
  /// Base pages that are mapped.
  @usableFromInline var pages: UInt64

  init(pages: UInt64) { self.pages = pages }

  @inlinable func run<Service: TranslationService>(_: Service.Type) throws(CommandFailure) -> [MemoryRow] {
    let empty = try BenchSpace<Service>()
    let fresh = MemoryRow("new process", 0, empty.database.footprint, frames: empty.frames, peak: 0)
    try empty.close()
    return [
      fresh, try fill(Service.self, "dense", every: 1),
      try fill(Service.self, "sparse", every: BenchPlace.sparse),
    ]
  }

  /// Maps one page in `every`, and lets resizes that are still going on come to their end by replacing pages.
  @inlinable func fill<Service: TranslationService>(
    _: Service.Type, _ state: String, every: UInt64
  ) throws(CommandFailure) -> MemoryRow {
    let space = try BenchSpace<Service>()
    var peak: UInt64 = 0
    do {
      for page in 0..<pages {
        try space.map(BenchPlace.dense(page &* every), page)
        if page & 255 == 0 { peak = max(peak, space.database.footprint.total) }
      }
      for page in 0..<pages { try space.map(BenchPlace.dense(page &* every), page) }
    } catch { throw .failed("\(state) pages could not be mapped: \(error)") }
    let footprint = space.database.footprint
    let row = MemoryRow(
      state, pages, footprint, frames: space.frames, peak: max(peak, footprint.total))
    do {
      for page in 0..<pages { try space.unmap(BenchPlace.dense(page &* every)) }
    } catch { throw .failed("\(state) pages could not be unmapped: \(error)") }
    try space.close()
    return row
  }
}

/// The tables of one address space.
@usableFromInline struct MemoryRow: Codable, Sendable {
  var schema = "emt.memory/1"
  var driver = ""
  /// `new process`, `dense` or `sparse` (one page in 64).
  var state: String
  var pages: UInt64
  var nodes: UInt64
  var ways: UInt64
  var walkTables: UInt64
  var summaries: UInt64
  var total: UInt64
  /// Of `total`; nil without pages.
  var bytesPerPage: Double?
  /// The most while pages were being mapped.
  var peak: UInt64
  /// What the frame allocator handed out: the driver's own account has to agree.
  var allocated: UInt64

  @usableFromInline
  init(_ state: String, _ pages: UInt64, _ footprint: TableFootprint, frames: UInt64, peak: UInt64) {
    self.state = state
    self.pages = pages
    nodes = footprint.nodes
    ways = footprint.ways
    walkTables = footprint.walkTables
    summaries = footprint.summaries
    total = footprint.total
    bytesPerPage = pages == 0 ? nil : Double(footprint.total) / Double(pages)
    self.peak = max(peak, footprint.total)
    allocated = frames << 12
  }
}

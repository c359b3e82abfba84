// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// The order in which an insertion benchmark maps pages.
@usableFromInline enum InsertOrder: String, CaseIterable, Codable, Sendable {
  /// One after the other.
  case dense
  /// The same pages, shuffled.
  case random
  /// One in 64, one after the other: an eighth as many, so that as many clusters of eight are made.
  case sparse
}

/// Grows a table from nothing by single inserts and looks at what each of them did.
///
/// All memory was used before, so clearing is real. Moves come from the meter, cleared frames from the allocator.
@usableFromInline struct InsertJob: Sendable {
  /// Base pages of the dense and the random order.
  @usableFromInline var pages: UInt64
  @usableFromInline var order: InsertOrder
  /// The driver's options.
  @usableFromInline var options: DriverOptions

  init(pages: UInt64, order: InsertOrder, options: [String: String]) {
    self.pages = pages
    self.order = order
    self.options = DriverOptions(options)
  }

  @usableFromInline var places: [UInt64] {
    switch order {
    case .dense: Array(0..<pages)
    case .random:
      {
        var random = BenchRandom()
        return random.permutation(pages)
      }()
    case .sparse: (0..<(pages / 8)).map { $0 * BenchPlace.sparse }
    }
  }

  @inlinable func run<Service: TranslationService>(_: Service.Type) throws(CommandFailure) -> InsertRow {
    let places = places
    let space = try BenchSpace<Service>(memoryBytes: 1 << 30, options: options, isUsed: true)
    var row = InsertRow(order: order, preset: options.values["preset"])
    let meter = space.database.context.meter
    let frames = space.simulated.platform.frames
    for place in places {
      let (moves, given, cleared) = (
        meter.total(.clusterMove), meter.total(.tableFrame), frames.clearedFrames
      )
      let start = ContinuousClock.now
      do { try space.map(BenchPlace.dense(place), place) } catch {
        row.refusal = "\(error)"
        break
      }
      let time = ContinuousClock.now - start
      row.add(
        moves: meter.total(.clusterMove) - moves, cleared: frames.clearedFrames - cleared,
        given: meter.total(.tableFrame) - given, time)
    }
    row.finish(space.database.footprint.total)
    do {
      for place in places.prefix(Int(row.inserts)) { try space.unmap(BenchPlace.dense(place)) }
    } catch { throw .failed("\(order.rawValue): a page could not be unmapped: \(error)") }
    try space.close()
    return row
  }
}

/// What the inserts of one growth did.
@usableFromInline struct InsertRow: Encodable, Sendable {
  var schema = "emt.inserts/1"
  var driver = ""
  /// The driver's preset, if it has presets.
  var preset: String?
  var order: InsertOrder
  @usableFromInline var inserts: UInt64 = 0
  /// Why the driver refused the insert after the last one, although there was memory; nil when all went well.
  @usableFromInline var refusal: String?
  /// How many inserts moved so many clusters.
  var moves: [String: UInt64] = [:]
  var mostMoves: UInt64 = 0
  /// How many inserts cleared so many frames.
  var clearedFrames: [String: UInt64] = [:]
  var mostClearedFrames: UInt64 = 0
  /// Frames of the largest array that was taken at once.
  var largestArrayFrames: UInt64 = 0
  var tableBytes: UInt64 = 0
  /// Times of an insert in nanoseconds: wall clock, with whatever else the machine did meanwhile.
  var nanoseconds: [String: Double] = [:]

  private enum CodingKeys: String, CodingKey {
    case schema, driver, preset, order, inserts, refusal, moves, mostMoves, clearedFrames, mostClearedFrames
    case largestArrayFrames, tableBytes, nanoseconds
  }

  /// Inserts by clusters moved and by frames cleared; the last bar is "so many or more".
  private(set) var moveBars = [UInt64](repeating: 0, count: 1024)
  private(set) var clearBars = [UInt64](repeating: 0, count: 1024)
  private var times: [Float] = []

  @usableFromInline init(order: InsertOrder, preset: String?) {
    self.order = order
    self.preset = preset
  }

  @usableFromInline mutating func add(moves: UInt64, cleared: UInt64, given: UInt64, _ time: Duration) {
    inserts += 1
    moveBars[Int(min(moves, 1023))] += 1
    clearBars[Int(min(cleared, 1023))] += 1
    mostMoves = max(mostMoves, moves)
    mostClearedFrames = max(mostClearedFrames, cleared)
    largestArrayFrames = max(largestArrayFrames, given)
    times.append(Float(time.components.attoseconds / 1_000_000_000))
  }

  @usableFromInline mutating func finish(_ bytes: UInt64) {
    tableBytes = bytes
    times.sort()
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("most", 1.0)]
    where !times.isEmpty {
      nanoseconds[name] = Double(times[min(times.count - 1, Int(Double(times.count) * share))])
    }
    times = []
    moves = InsertRow.named(moveBars)
    clearedFrames = InsertRow.named(clearBars)
  }

  private static func named(_ bars: [UInt64]) -> [String: UInt64] {
    Dictionary(uniqueKeysWithValues: bars.enumerated().filter { $1 > 0 }.map { ("\($0)", $1) })
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// One operation on one page, as `emt bench` times it.
@usableFromInline enum BenchOperation: String, CaseIterable, Sendable {
  case insert, findDense, findRandom, findMiss, replace, scan, remove

  /// What people read.
  var title: String {
    switch self {
    case .insert: "find and update: new pages, dense order"
    case .findDense: "find: hit, dense order"
    case .findRandom: "find: hit, random order"
    case .findMiss: "find: miss, random order"
    case .replace: "find and update: replace, random order"
    case .scan: "scan with an iterator, per page"
    case .remove: "find and remove: dense order"
    }
  }
}

/// One timing of one operation.
@usableFromInline struct OperationSample: Sendable {
  var operation: BenchOperation
  /// Per operation.
  var nanoseconds: Double
  /// Events that the meter counted, per operation.
  var events: [KernelEvent: Double]

  @usableFromInline
  init(_ operation: BenchOperation, seconds: Duration, work: KernelWork, count: UInt64) {
    self.operation = operation
    nanoseconds = seconds / .nanoseconds(1) / Double(count)
    events = [:]
    for event in KernelEvent.allCases where work[event] != 0 {
      events[event] = Double(work[event]) / Double(count)
    }
  }
}

/// Times single operations of a driver on dense pages: one round.
@usableFromInline struct OperationJob: Sendable {
  /// Base pages that are mapped.
  @usableFromInline var pages: UInt64
  /// Operations of those that need not touch every page once.
  @usableFromInline var count: UInt64 { max(min(pages, 1 << 18), min(1 << 17, pages &* 4)) }

  init(pages: UInt64) { self.pages = pages }

  @inlinable func run<Service: TranslationService>(_: Service.Type) throws(CommandFailure)
    -> [OperationSample]
  {
    let space = try BenchSpace<Service>()
    var samples: [OperationSample] = []
    for operation in BenchOperation.allCases {
      let before = space.simulated.work
      let start = ContinuousClock.now
      let done: UInt64
      do { done = try perform(operation, space) } catch {
        throw .failed("\(operation.rawValue): an operation failed: \(error)")
      }
      let time = ContinuousClock.now - start
      samples.append(
        OperationSample(operation, seconds: time, work: space.simulated.work - before, count: done))
    }
    try space.close()
    return samples
  }

  /// Performs an operation many times.
  /// - Returns: how often.
  @inlinable func perform<Service: TranslationService>(
    _ operation: BenchOperation, _ space: BenchSpace<Service>
  ) throws(TranslationError) -> UInt64 {
    switch operation {
    case .insert: for page in 0..<pages { try space.map(BenchPlace.dense(page), page) }
    case .remove: for page in 0..<pages { try space.unmap(BenchPlace.dense(page)) }
    case .scan: scan(space)
    case .findDense:
      var hits: UInt64 = 0
      for page in 0..<pages where space.database.find(BenchPlace.dense(page)).isMapped { hits &+= 1 }
      precondition(hits == pages, "a mapped page was not found")
    case .findRandom:
      precondition(finds(space, from: 0) == count, "a mapped page was not found")
      return count
    case .findMiss:
      // The next range of the same size: near enough to share tables, and nothing is mapped there.
      precondition(finds(space, from: pages) == 0, "a page was found that is not mapped")
      return count
    case .replace:
      var random = BenchRandom()
      for turn in 0..<count { try space.map(BenchPlace.dense(random.next(below: pages)), turn) }
      return count
    }
    return pages
  }

  /// Looks for random pages.
  /// - Returns: how many are mapped.
  @inlinable func finds<Service: TranslationService>(_ space: BenchSpace<Service>, from first: UInt64)
    -> UInt64
  {
    var random = BenchRandom()
    var hits: UInt64 = 0
    for _ in 0..<count {
      let page = first &+ random.next(below: pages)
      if space.database.find(BenchPlace.dense(page)).isMapped { hits &+= 1 }
    }
    return hits
  }

  @inlinable func scan<Service: TranslationService>(_ space: BenchSpace<Service>) {
    let database = space.database
    var iterator = database.makeIterator(over: VirtualRange(BenchPlace.dense(0), bytes: pages << 12))
    var found: UInt64 = 0
    while database.nextMapped(&iterator) != nil { found &+= 1 }
    database.endIteration(iterator)
    precondition(found == pages, "a scan missed pages")
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory

/// Times what a driver does with a large range, with its customizations and without them.
@usableFromInline struct BenchJob: Sendable {
  /// Base pages that are mapped.
  @usableFromInline var pages: UInt64

  init(pages: UInt64) { self.pages = pages }

  /// One round of both forms.
  @inlinable
  func run<Service: TranslationService>(_ service: Service.Type) throws(CommandFailure) -> [RangeSample] {
    try time(Service.self, "driver") + time(BasicOnlyService<Service.Database>.self, "basic functions only")
  }

  @inlinable
  func time<Service: TranslationService>(
    _: Service.Type, _ form: String
  ) throws(CommandFailure) -> [RangeSample] {
    let times: [Double]
    do { times = try once(Service.self) } catch {
      throw .failed("\(form): a range operation failed: \(error)")
    }
    return zip(["map", "scan", "fork", "unmap"], times).map {
      RangeSample(name: $0, form: form, nanoseconds: $1)
    }
  }

  /// Maps, scans, copies and unmaps once.
  /// - Returns: nanoseconds per page of each.
  @inlinable
  func once<Service: TranslationService>(_: Service.Type) throws -> [Double] {
    let platform = try SimulatedPlatform(MemoryGeometry(bytes: 8 << 30))
    let service = try Service.boot(platform.platform, options: DriverOptions())
    let contexts = (1...2).map {
      DatabaseContext(
        platform: platform.platform, spaceID: AddressSpaceID(UInt16($0)), pageSizes: service.pageSizes)
    }
    let parent = try service.makeDatabase(contexts[0])
    let child = try service.makeDatabase(contexts[1])
    let range = VirtualRange(VirtualAddress(1 << 40), bytes: pages << 12)
    let times = [
      try elapsed { try map(parent, range) },
      try elapsed { try scan(parent, range) },
      try elapsed {
        let flush = try parent.copy(range, into: child, decide: { _ in .shareProtected }, copied: { _ in })
        parent.settle(flush)
      },
      try elapsed { parent.settle(try parent.removeAll(in: range) { _ in }) },
    ]
    child.settle(try child.removeAll(in: range) { _ in })
    try service.destroy(parent)
    try service.destroy(child)
    for context in contexts { context.destroy() }
    service.shutDown()
    return times
  }

  @inlinable func map(_ database: some TranslationDatabase, _ range: VirtualRange) throws {
    for page in 0..<range.pages {
      let address = range.start.advanced(by: page << 12)
      var object = database.find(address)
      if object.size != .base { object = .init(unmappedAt: address, size: .base) }
      object.place(FrameNumber(1 + page & 0xFFFF), [.readable, .writable, .user, .accessed, .dirty])
      database.settle(try database.update(object).takeObligation())
    }
  }

  @inlinable func scan(_ database: some TranslationDatabase, _ range: VirtualRange) throws {
    var iterator = database.makeIterator(over: range)
    var found: UInt64 = 0
    while database.nextMapped(&iterator) != nil { found &+= 1 }
    database.endIteration(iterator)
    precondition(found == pages, "a scan missed pages")
  }

  /// Nanoseconds per page that `body` takes.
  @inlinable func elapsed(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let time = (ContinuousClock.now - start).components
    return (Double(time.seconds) * 1e9 + Double(time.attoseconds) / 1e9) / Double(pages)
  }
}

/// One timing of one range operation.
@usableFromInline struct RangeSample: Sendable {
  var name: String
  /// Which form of the driver.
  var form: String
  /// Per page.
  var nanoseconds: Double

  @usableFromInline init(name: String, form: String, nanoseconds: Double) {
    self.name = name
    self.form = form
    self.nanoseconds = nanoseconds
  }
}

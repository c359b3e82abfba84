// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
public import SimMemory
public import VMM

/// Touches every base page of one large private mapping once, in ascending order, by stores that fault.
///
/// Every fault takes the kernel's way from its entry to the driver and back, without huge pages. Contents of pages are
/// never written, so that of a page nothing but its frame's record and its translation costs host memory.
@usableFromInline struct ScaleJob: Sendable {
  /// The size of the mapping.
  @usableFromInline var bytes: UInt64
  /// The driver's name: whose costs price the meter's events.
  @usableFromInline var driver: String
  /// Called now and then with the pages done.
  @usableFromInline var onProgress: @Sendable (UInt64) -> Void

  init(bytes: UInt64, driver: String, onProgress: @escaping @Sendable (UInt64) -> Void) {
    self.bytes = bytes
    self.driver = driver
    self.onProgress = onProgress
  }

  /// Runs the job. O(pages); memory is given back before it returns.
  /// - Throws: when the host cannot reserve the memory, a fault is not resolved, or frames were lost.
  @inlinable
  func run<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws(CommandFailure) -> ScaleRow where Service.Root == Walker.Root {
    let isOwnPeak = HostMemory.forgetPeak()
    let bench = try Workbench<Service, Walker>(configuration)
    let pages = bytes >> 12
    try bench.map(BenchPlace.base, pages: pages)
    var row = ScaleRow(driver: driver, pages: pages)
    row.isOwnPeak = isOwnPeak
    let before = bench.machine.platform.work
    calibrationMark()
    let start = ContinuousClock.now
    var done: UInt64 = 0
    while done < pages {
      let next = min(pages, done + ScaleJob.chunk)
      guard bench.storeToFresh(done..<next) else {
        throw .failed("\(driver): a fault near page \(done) of \(pages) was not resolved as a fresh page")
      }
      done = next
      row.notePeak(bench.process.space.database.footprint)
      onProgress(done)
    }
    row.finish(ContinuousClock.now - start, work: bench.machine.platform.work - before)
    calibrationMark()
    row.note(bench.process.space.database.footprint)
    row.noteHostMemory()
    try bench.close()
    return row
  }

  /// Pages between two looks at the tables' size.
  @usableFromInline static var chunk: UInt64 { 1 << 16 }

  /// Memory for the pages and a sixteenth more, and 256 MiB, for tables, old and new ones of a resize together.
  @usableFromInline var configuration: MachineConfiguration {
    var configuration = MachineConfiguration()
    let block = PageSize.twoMiB
    configuration.memory = MemoryGeometry(
      bytes: (bytes + bytes / 16 + (256 << 20) + block.mask) & ~block.mask)
    return configuration
  }
}

extension Workbench {
  /// A store to each of `pages`, counted from `BenchPlace.base`. Each of them faults and gets a fresh page.
  /// - Returns: false when a fault was resolved otherwise, or not at all.
  @inlinable func storeToFresh(_ pages: Range<UInt64>) -> Bool {
    let space = process.space
    for page in pages {
      guard case .resolved(.minor) = machine.calls.pageFault(space, BenchPlace.dense(page), .store) else {
        return false
      }
      machine.deliverInvalidations()
    }
    return true
  }
}

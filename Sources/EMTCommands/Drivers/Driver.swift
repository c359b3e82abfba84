// SPDX-License-Identifier: MIT
public import Catalog
public import Conformance
public import EMTCore
public import MMU
public import Scenarios

/// A driver as the commands use it: its description, and the jobs that were compiled for its types.
///
/// Somebody else's executable offers its own driver among the built-in ones:
/// `await EMT.main(drivers: Driver.builtIn + [Driver(description, MyService.self, MyWalker.self)])`.
public struct Driver: Sendable {
  /// What people see of it.
  public let description: DriverDescription
  /// Replays a trace on it.
  public let replay: @Sendable (ReplayJob) throws(CommandFailure) -> ReplayReport
  /// Runs what the calibration counts.
  @usableFromInline let calibrate: @Sendable (CalibrationJob) throws(CommandFailure) -> [CalibrationRun]
  /// Runs the checks of the contract that are chosen by clause and name, and shows each outcome.
  @usableFromInline let contract:
    @Sendable (ConformanceJob, (String, String) -> Bool, (ContractOutcome) -> Void) -> Void
  /// What runs scenarios.
  @usableFromInline let scenarios: @Sendable (ConformanceJob) -> ScenarioRunner
  /// Runs random operations; the closure sees every round's seed and the steps done.
  @usableFromInline let explore: @Sendable (ConformanceJob, (UInt64, Int) -> Void) -> DifferentialFailure?
  /// Runs random programs.
  @usableFromInline let fuzz: @Sendable (FuzzJob) throws(CommandFailure) -> MemoryReport
  /// Times range operations: one round.
  @usableFromInline let ranges: @Sendable (BenchJob) throws(CommandFailure) -> [RangeSample]
  /// Times single operations: one round.
  @usableFromInline let operations: @Sendable (OperationJob) throws(CommandFailure) -> [OperationSample]
  /// Measures the bytes of tables.
  @usableFromInline let memory: @Sendable (MemoryJob) throws(CommandFailure) -> [MemoryRow]
  /// Looks at every single insert of a growing table.
  @usableFromInline let inserts: @Sendable (InsertJob) throws(CommandFailure) -> InsertRow
  /// Touches a large mapping page by page.
  @usableFromInline let scale: @Sendable (ScaleJob) throws(CommandFailure) -> ScaleRow

  /// A driver and the hardware that reads its tables.
  @inlinable
  public init<Service: TranslationService, Walker: PageWalker>(
    _ description: DriverDescription, _ service: Service.Type, _ walker: Walker.Type
  ) where Service.Root == Walker.Root {
    self.description = description
    replay = { (job: ReplayJob) throws(CommandFailure) -> ReplayReport in
      try job.run(Service.self, Walker.self)
    }
    calibrate = { (job: CalibrationJob) throws(CommandFailure) -> [CalibrationRun] in
      try job.run(Service.self, Walker.self)
    }
    contract = { $0.check(Service.self, Walker.self, where: $1, $2) }
    scenarios = { $0.scenarios(Service.self, Walker.self) }
    explore = { $0.explore(Service.self, Walker.self, onRound: $1) }
    fuzz = { (job: FuzzJob) throws(CommandFailure) -> MemoryReport in
      try job.run(Service.self, Walker.self)
    }
    ranges = { (job: BenchJob) throws(CommandFailure) -> [RangeSample] in try job.run(Service.self) }
    operations = { (job: OperationJob) throws(CommandFailure) -> [OperationSample] in
      try job.run(Service.self)
    }
    memory = { (job: MemoryJob) throws(CommandFailure) -> [MemoryRow] in try job.run(Service.self) }
    inserts = { (job: InsertJob) throws(CommandFailure) -> InsertRow in try job.run(Service.self) }
    scale = { (job: ScaleJob) throws(CommandFailure) -> ScaleRow in
      try job.run(Service.self, Walker.self)
    }
  }

  /// The drivers of this package.
  public static var builtIn: [Driver] {
    var collector = Collector()
    DriverCatalog.visit(&collector)
    return collector.drivers
  }

  /// Names each driver's type, so that its jobs are compiled for it.
  private struct Collector: DriverVisitor {
    var drivers: [Driver] = []
    mutating func visit<Service: TranslationService, Walker: PageWalker>(
      _ description: DriverDescription, _ service: Service.Type, _ walker: Walker.Type
    ) where Service.Root == Walker.Root {
      drivers.append(Driver(description, service, walker))
    }
  }
}

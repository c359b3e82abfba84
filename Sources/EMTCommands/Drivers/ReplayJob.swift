// SPDX-License-Identifier: MIT
public import EMTCore
public import Foundation
public import MMU
public import Machine
internal import SimMemory
public import VMM
public import Workloads

/// One trace to be replayed on one driver.
public struct ReplayJob: Sendable {
  /// The files of the run.
  public var paths: [String]
  /// The driver's name.
  public var driver: String
  /// Physical memory in bytes.
  public var memoryBytes: UInt64 = 16 << 30
  /// Which memory gets transparent huge pages.
  public var policy = HugePagePolicy.never
  /// Accesses between two passes of the background job that makes huge pages; 0: it never runs.
  public var collapseInterval: UInt64 = 1_000_000
  /// Slots of the swap area, in base pages; 0 for none.
  public var swapPages: UInt64 = 0
  /// CPUs; the threads of the trace are dealt out to them.
  public var cpus = 1
  /// NUMA nodes. With several, memory and tables are shared out over them in turn.
  public var nodes = 1
  /// Compare driver, reference model and walker after every system call.
  public var isChecked = false
  /// Called now and then with the bytes read and their total.
  public var onProgress: (@Sendable (UInt64, UInt64?) -> Void)?

  /// A job with default settings.
  public init(paths: [String], driver: String) {
    self.paths = paths
    self.driver = driver
  }

  /// Runs the job, compiled for the driver's types where they are named.
  @inlinable
  public func run<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws(CommandFailure) -> ReplayReport where Service.Root == Walker.Root {
    if isChecked { return try runChecked(service, walker) }
    return try runPlain(service, walker, check: nil)
  }

  @inlinable
  func runPlain<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type, check: ((Machine<Service, Walker>) -> String?)?
  ) throws(CommandFailure) -> ReplayReport where Service.Root == Walker.Root {
    var input = try open()
    let machine: Machine<Service, Walker>
    do { machine = try Machine(configuration) } catch { throw .failed(error.message) }
    if nodes > 1 { machine.kernel.initialPolicy = MemoryPolicy(interleaving: .first(nodes)) }
    var replay = Replay(on: machine)
    replay.check = check
    let start = Date()
    do {
      try input.run(into: &replay)
    } catch {
      switch error {
      case .trace(let error): throw .usage(error.description)
      case .sink(let stop): throw failure(stop, machine.kernel.shortageReport)
      }
    }
    do { try replay.finish() } catch { throw failure(error, machine.kernel.shortageReport) }
    var report = ReplayReport(driver: driver, trace: input.name, seconds: Date().timeIntervalSince(start))
    report.fill(from: replay)
    report.measureEmptyProcess(machine)
    let lost = machine.shutDown()
    if lost != 0 { throw .failed("\(driver): \(lost) frames were not given back: a bug of the driver") }
    return report
  }

  @usableFromInline func open() throws(CommandFailure) -> TraceInput {
    do {
      let input = try TraceInput.open(paths: paths)
      if let onProgress {
        let total = input.totalBytes
        input.onProgress { onProgress($0, total) }
      }
      return input
    } catch { throw .usage(error.description) }
  }

  /// A stop of the replay: exhausted memory is the run's failure, a contradiction is bad input.
  @usableFromInline func failure(_ stop: ReplayStop, _ report: String? = nil) -> CommandFailure {
    var text = "\(paths.first ?? "-"): \(driver): \(stop.message)"
    if stop == .outOfMemory, let report { text += " (\(report))" }
    switch stop {
    case .noProcess, .contradiction: return .usage(text)
    case .outOfMemory, .faultLoop, .disagreement: return .failed(text)
    }
  }

  @usableFromInline var configuration: MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.memory = MemoryGeometry(bytes: memoryBytes, nodes: nodes)
    configuration.hugePages = HugePageSettings(policy: policy)
    configuration.collapseInterval = collapseInterval
    configuration.swapPages = swapPages
    configuration.cpus = cpus
    return configuration
  }
}

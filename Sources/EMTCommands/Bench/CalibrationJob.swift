// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
internal import SimMemory
internal import Synchronization
public import VMM
public import Workloads

/// What runs under callgrind: workloads whose kernel work both instruments see.
///
/// Everything runs twice, so that what a program does only once (binding symbols, making type metadata) is over before
/// the counted run. `calibrationMark` is called before and after that one, which makes callgrind write a dump.
@usableFromInline struct CalibrationJob: Sendable {
  /// Traces to replay, each with the files of one run; empty: the micro workloads.
  @usableFromInline var traces: [String]
  @usableFromInline var driver: String
  @usableFromInline var workloads: [MicroWorkload]
  /// Which memory gets huge pages. Micro workloads ask for them where they are about them.
  @usableFromInline var policy: HugePagePolicy
  /// Simulated memory of a replay, in bytes.
  var memoryBytes: UInt64 = 8 << 30
  /// Slots of a replay's swap area.
  var swapPages: UInt64 = 0
  /// Accesses of a replay between two passes of the collapsing job; nil: the machine's default.
  var collapseInterval: UInt64?

  init(
    traces: [String], driver: String, policy: HugePagePolicy,
    workloads: [MicroWorkload] = MicroWorkload.allCases
  ) {
    self.traces = traces
    self.driver = driver
    self.policy = traces.isEmpty ? .madvise : policy
    self.workloads = workloads
  }

  @inlinable
  func run<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws(CommandFailure) -> [CalibrationRun] where Service.Root == Walker.Root {
    var runs: [CalibrationRun] = []
    for trace in traces {
      _ = try replay(trace, service, walker, isCounted: false)
      runs.append(try replay(trace, service, walker, isCounted: true))
    }
    if !traces.isEmpty { return runs }
    for setting in MicroWorkload.Setting.allCases {
      let workloads = workloads.filter { $0.setting == setting }
      if workloads.isEmpty { continue }
      var bench = try Workbench<Service, Walker>(configuration(for: setting))
      for workload in workloads {
        try bench.run(workload, workload.warmUp)
        let before = bench.machine.platform.work
        calibrationMark()
        try bench.run(workload, workload.size)
        calibrationMark()
        runs.append(CalibrationRun(name: workload.rawValue, work: bench.machine.platform.work - before))
      }
      try bench.close()
    }
    return runs
  }

  @inlinable
  func replay<Service: TranslationService, Walker: PageWalker>(
    _ trace: String, _ service: Service.Type, _ walker: Walker.Type, isCounted: Bool
  ) throws(CommandFailure) -> CalibrationRun where Service.Root == Walker.Root {
    let job = ReplayJob(paths: [trace], driver: driver)
    var input = try job.open()
    let machine: Machine<Service, Walker>
    do { machine = try Machine(configuration) } catch { throw .failed(error.message) }
    var replay = Replay(on: machine)
    let before = machine.platform.work
    if isCounted { calibrationMark() }
    do { try input.run(into: &replay) } catch {
      switch error {
      case .trace(let error): throw .usage(error.description)
      case .sink(let stop): throw job.failure(stop)
      }
    }
    do { try replay.finish() } catch { throw job.failure(error) }
    if isCounted { calibrationMark() }
    let run = CalibrationRun(name: input.name, work: machine.platform.work - before)
    _ = machine.shutDown()
    return run
  }

  @usableFromInline var configuration: MachineConfiguration {
    var configuration = MachineConfiguration()
    configuration.memory = MemoryGeometry(bytes: memoryBytes)
    configuration.swapPages = swapPages
    configuration.hugePages = HugePageSettings(policy: policy)
    if let collapseInterval {
      // A job that never runs is a job whose time never comes.
      configuration.collapseInterval = collapseInterval == 0 ? .max : collapseInterval
    }
    return configuration
  }

  /// The machine that micro workloads of a setting need.
  @usableFromInline func configuration(for setting: MicroWorkload.Setting) -> MachineConfiguration {
    var configuration = configuration
    switch setting {
    case .plenty: break
    case .severalCPUs: configuration.cpus = 4
    case .pressure:
      configuration.memory = MemoryGeometry(bytes: 32 << 20)
      configuration.swapPages = 256 << 8
    }
    return configuration
  }
}

/// What the meter saw of one run, as the child process tells it.
@usableFromInline struct CalibrationRun: Codable, Sendable {
  var name: String
  /// Event counts by operation.
  var operations: [String: [String: UInt64]]

  @usableFromInline init(name: String, work: KernelWork) {
    self.name = name
    operations = [:]
    for operation in KernelOperation.allCases {
      for event in KernelEvent.allCases where work[operation, event] != 0 {
        operations["\(operation)", default: [:]]["\(event)"] = work[operation, event]
      }
    }
  }

  /// The counts of one operation.
  func counts(_ operation: KernelOperation) -> [KernelEvent: UInt64] {
    let named = operations["\(operation)"] ?? [:]
    return KernelEvent.allCases.reduce(into: [:]) { counts, event in
      if let count = named["\(event)"] { counts[event] = count }
    }
  }
}

/// Callgrind writes a dump when this is called.
@usableFromInline @inline(never) func calibrationMark() {
  calibrationMarks.wrappingAdd(1, ordering: .sequentiallyConsistent)
}

private let calibrationMarks = Atomic<Int>(0)

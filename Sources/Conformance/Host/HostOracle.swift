// SPDX-License-Identifier: MIT
internal import Machine
internal import Reference
public import Scenarios
internal import SimMemory
internal import VMM

/// The host's own kernel as the judge of the simulated one: random programs run on both, and after every step the answer,
/// the areas and the pages have to be the same.
public struct HostOracle {
  /// How a run ended.
  public struct Report: Sendable {
    /// Name, release and version of the host's kernel.
    public var kernel = ""
    /// Why nothing was run; nil when something was.
    public var skipped: String?
    /// What the host does not offer, and programs therefore leave out.
    public var leftOut: [String] = []
    /// Programs that ran.
    public var programs = 0
    /// Their steps.
    public var steps = 0
    /// The first difference.
    public var difference: Difference?
    /// What was wrong in the simulated machine itself.
    public var findings: [String] = []
    /// Whether nothing was wrong.
    public var isPassed: Bool { difference == nil && findings.isEmpty }
  }

  /// A program that the two kernels do not agree on.
  public struct Difference: Sendable, CustomStringConvertible {
    /// What it was drawn from.
    public let seed: UInt64
    /// A short program that shows the difference in its last step.
    public let steps: [HostStep]
    /// What differs.
    public let what: String
    /// The state before the last step, the host's answer and the simulated kernel's.
    let before, host, simulated: HostAnswer

    /// The program, and both answers to its last step.
    public var description: String {
      (["seed \(seed): \(what) of the last step differs"]
        + steps.enumerated().map { "  \($0 + 1). \($1)" }
        + [
          "before:\n      \(before.text)", "host:\n      \(host.text)", "simulated:\n      \(simulated.text)",
        ]).joined(separator: "\n")
    }
  }

  /// Steps of one program.
  public static var programSteps: Int { 60 }
  /// Programs for one machine.
  private static var programsPerMachine: Int { 50 }

  private let boot: ScenarioBoot
  private var features: HostFeatures = []
  private var machine: (any ScenarioHost)?
  private var programs = 0
  private var nextPid: UInt32 = 1

  private init(_ boot: @escaping ScenarioBoot) { self.boot = boot }

  /// Runs programs of `steps` steps in all, drawn from `seed`, `seed` + 1 and so on, until two answers differ.
  /// - Parameter onProgram: called before each program with its seed and the steps done so far.
  public static func explore(
    seed: UInt64, steps: Int, _ boot: @escaping ScenarioBoot, onProgram: (UInt64, Int) -> Void = { _, _ in }
  ) -> Report {
    var report = Report()
    report.kernel = HostProcess.kernel
    var oracle = HostOracle(boot)
    do throws(HostRefusal) {
      if let deviation = try HostFeatures.deviation() {
        report.skipped = "the host's kernel does not behave as Linux: \(deviation)"
        return report
      }
      oracle.features = try .ofHost()
    } catch {
      report.skipped = error.message
      return report
    }
    report.leftOut = HostFeatures.probes.filter { !oracle.features.contains($0.feature) }.map(\.name)
    var seed = seed
    while report.steps < steps, report.isPassed {
      onProgram(seed, report.steps)
      let program = HostStepGenerator.program(seed: seed, steps: programSteps, oracle.features)
      if let place = oracle.firstDifference(program) {
        report.difference = oracle.shorten(program, place, seed: seed)
      }
      report.programs += 1
      report.steps += program.count
      report.findings += oracle.endProgram(seed)
      seed &+= 1
    }
    report.findings += oracle.shutDown(seed)
    return report
  }

  /// The first step whose answers differ.
  private mutating func firstDifference(_ steps: [HostStep]) -> Int? {
    guard let (host, simulated) = answers(steps) else { return nil }
    return zip(host, simulated).enumerated().first { $1.0.difference(from: $1.1) != nil }?.offset
  }

  /// Both kernels' answers. A host process that dies has no answers, which differs from any.
  private mutating func answers(_ steps: [HostStep]) -> (host: [HostAnswer], simulated: [HostAnswer])? {
    var host: [HostAnswer]
    do throws(HostRefusal) { host = try HostProcess.run(steps) } catch {
      host = steps.map { _ in HostAnswer() }
    }
    do {
      let machine = try bootedMachine()
      let program = HostProgram(machine, features, firstPid: nextPid)
      let (simulated, next) = try program.run(steps)
      nextPid = next
      return (host, simulated)
    } catch { return nil }
  }

  private mutating func bootedMachine() throws(MachineError) -> any ScenarioHost {
    if let machine { return machine }
    var configuration = MachineConfiguration()
    configuration.memory = MemoryGeometry(bytes: 64 << 20)
    configuration.hugePages = HugePageSettings(policy: .never)
    let booted = try boot(configuration)
    booted.administration.hasProtectionKeys = features.contains(.executeOnly)
    // The host maps what a file has in memory around a load (fault_around_bytes).
    booted.administration.faultAroundPages = 16
    (machine, programs, nextPid) = (booted, 0, 1)
    return booted
  }

  private mutating func endProgram(_ seed: UInt64) -> [String] {
    programs += 1
    guard programs >= HostOracle.programsPerMachine else { return [] }
    return shutDown(seed)
  }

  private mutating func shutDown(_ seed: UInt64) -> [String] {
    guard let machine else { return [] }
    self.machine = nil
    return machine.shutDown().map { "at the end of the program with seed \(seed): \($0)" }
  }

  /// The fewest steps that still end in a difference.
  private mutating func shorten(_ program: [HostStep], _ place: Int, seed: UInt64) -> Difference? {
    var oracle = self
    let shrinker = Shrinker<HostStep>(seconds: 30) { steps in
      oracle.firstDifference(HostProgram.valid(steps)) != nil
    }
    var steps = HostProgram.valid(shrinker.shrink(Array(program[...place])))
    if let end = oracle.firstDifference(steps) {
      steps = Array(steps[...end])
    } else {
      steps = Array(program[...place])
    }
    guard let (host, simulated) = oracle.answers(steps), let last = host.last, let mine = simulated.last
    else {
      return nil
    }
    self = oracle
    let before = host.count > 1 ? host[host.count - 2] : HostAnswer()
    return Difference(
      seed: seed, steps: steps, what: last.difference(from: mine) ?? "nothing", before: before, host: last,
      simulated: mine)
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine

/// How a random run of programs ended.
public struct MemoryReport: Sendable {
  /// The seed that the steps were drawn from.
  public var seed: UInt64
  /// How many steps were run.
  public var steps: Int
  /// Mixes all results, values and residencies: equal for equal seeds on all drivers while memory is not short.
  public var digest: UInt64
  /// How often memory ran out.
  public var shortages: Int
  /// What differed from the model, nil when nothing did.
  public var difference: String?
  /// A short list of steps that shows the difference.
  public var culprit: [MemoryStep]
}

/// Random programs on a whole machine and on the naive model of memory at the same time: maps, protects, moves, advises,
/// forks, loads and stores. After each step the pages that it was about are compared, every so often everything.
public enum MemoryDifferential {
  /// Draws `steps` steps from `seed` and runs them on a machine that `boot` makes.
  /// - Parameters:
  ///   - checkEvery: after how many steps everything is compared.
  ///   - mayRunShort: whether memory may run out.
  ///   - shortens: whether a short list of steps is searched for, which may take minutes.
  ///   - progress: is told how many steps are done, now and then.
  public static func explore<Service: TranslationService, Walker: PageWalker>(
    seed: UInt64, steps count: Int, checkEvery: Int = 1000, mayRunShort: Bool = false,
    shortens: Bool = true, boot: @escaping () throws(MachineError) -> Machine<Service, Walker>,
    progress: (Int) -> Void = { _ in }
  ) throws(MachineError) -> MemoryReport where Service.Root == Walker.Root {
    var generator = MemoryStepGenerator(seed: seed)
    let rig = MemoryRig(try boot(), mayRunShort: mayRunShort)
    rig.start()
    var steps = 0
    while steps < count, rig.difference == nil {
      rig.run(generator.next())
      steps += 1
      if steps % checkEvery == 0 || steps == count {
        rig.compareEverything()
        progress(steps)
      }
    }
    let difference = rig.difference
    rig.close()
    var report = MemoryReport(
      seed: seed, steps: steps, digest: rig.digest, shortages: rig.shortages,
      difference: difference ?? rig.difference, culprit: [])
    guard shortens, report.difference != nil else { return report }
    report.culprit = culprit(seed: seed, steps: steps) { (steps: [MemoryStep]) in
      guard let machine = try? boot() else { return false }
      return replay(steps, on: machine, mayRunShort: mayRunShort) != nil
    }
    if !report.culprit.isEmpty, let short = replay(report.culprit, on: try boot(), mayRunShort: mayRunShort) {
      report.difference = short
    }
    return report
  }

  /// A short list of steps that fails. Of a long run its end is tried first, because most of what came before is gone
  /// from memory: the last thousand steps, then ever more.
  /// - Returns: nothing when the whole run, done again, does not fail or takes too long to do again.
  private static func culprit(
    seed: UInt64, steps count: Int, fails: @escaping ([MemoryStep]) -> Bool
  ) -> [MemoryStep] {
    let deadline = ContinuousClock.now + .seconds(600)
    var length = 1000
    while ContinuousClock.now < deadline {
      var generator = MemoryStepGenerator(seed: seed)
      for _ in 0..<max(0, count - length) { _ = generator.next() }
      let tail = (0..<min(length, count)).map { _ in generator.next() }
      if fails(tail) { return Shrinker(seconds: 600, fails).shrink(tail) }
      if length >= count { break }
      length *= 4
    }
    return []
  }

  /// Runs `steps` on a fresh machine, comparing everything at the end.
  /// - Returns: what differs.
  public static func replay<Service: TranslationService, Walker: PageWalker>(
    _ steps: [MemoryStep], on machine: Machine<Service, Walker>, mayRunShort: Bool = false
  ) -> String? where Service.Root == Walker.Root {
    let rig = MemoryRig(machine, mayRunShort: mayRunShort)
    rig.start()
    for step in steps where rig.difference == nil { rig.run(step) }
    if rig.difference == nil { rig.compareEverything() }
    let difference = rig.difference
    rig.close()
    return difference ?? rig.difference
  }
}

// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

/// A sequence of steps after which a driver, the model and the hardware do not agree.
public struct DifferentialFailure: Sendable, CustomStringConvertible {
  /// The driver under test.
  public let driver: String
  /// The seed that the steps were drawn from; nil for a list that was given.
  public let seed: UInt64?
  /// A short list of steps that shows the difference.
  public let steps: [DifferentialStep]
  /// What differs after the last step.
  public let difference: String

  /// The difference, and the steps as a Swift list that `Differential.replay` takes.
  public var description: String {
    let list = steps.map { "  \($0)," }.joined(separator: "\n")
    return
      "\(driver)\(seed.map { ", seed \($0)" } ?? ""):\n\(difference)\nlet steps: [DifferentialStep] = [\n\(list)\n]"
  }
}

/// Random operations on a driver and on the model at the same time:
///
/// ```swift
/// if let failure = Differential.explore(ContractSubject("mine", MyDatabase.self), seed: 1, steps: 10_000) {
///   print(failure)  // a short list of steps, ready to paste into a regression test
/// }
/// ```
public enum Differential {
  /// Draws `steps` operations from `seed`, compares after each, and shortens the list when something differs.
  /// - Parameter checkEvery: after how many steps everything is compared, not only what the step touched.
  public static func explore<Database>(
    _ subject: ContractSubject<Database>, seed: UInt64, steps count: Int, checkEvery: Int = 50
  ) -> DifferentialFailure? {
    var steps: [DifferentialStep] = []
    guard let sizes = pageShifts(of: subject) else {
      return DifferentialFailure(driver: subject.name, seed: seed, steps: [], difference: "it does not boot")
    }
    var generator = StepGenerator(seed: seed, shifts: sizes)
    for _ in 0..<count { steps.append(generator.next()) }
    guard let failure = replay(steps, on: subject, checkEvery: checkEvery) else { return nil }
    let short = Shrinker(plainer: \.plainerForms) { replay($0, on: subject, checkEvery: 1) != nil }
      .shrink(failure.steps)
    let last = replay(short, on: subject, checkEvery: 1) ?? failure
    return DifferentialFailure(driver: subject.name, seed: seed, steps: short, difference: last.difference)
  }

  /// Runs `steps`.
  /// - Returns: the first difference, with the steps up to it.
  public static func replay<Database>(
    _ steps: [DifferentialStep], on subject: ContractSubject<Database>, checkEvery: Int = 1
  ) -> DifferentialFailure? {
    func failure(_ count: Int, _ difference: String) -> DifferentialFailure {
      DifferentialFailure(
        driver: subject.name, seed: nil, steps: Array(steps.prefix(count)), difference: difference)
    }
    do {
      let rig = try DifferentialRig(subject)
      defer { rig.close() }
      for (index, step) in steps.enumerated() {
        rig.run(step)
        let isDue = (index + 1) % checkEvery == 0 || index + 1 == steps.count
        if let difference = rig.difference(isThorough: isDue) { return failure(index + 1, difference) }
      }
      if let leak = rig.close() { return failure(steps.count, leak) }
      return nil
    } catch { return failure(0, "it does not boot: \(error)") }
  }

  private static func pageShifts<Database>(of subject: ContractSubject<Database>) -> [UInt8]? {
    guard let rig = try? DifferentialRig(subject) else { return nil }
    defer { rig.close() }
    return rig.service.pageSizes.all.map(\.shift)
  }
}

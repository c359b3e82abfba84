// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Reference
internal import SimMemory

/// Random operations on a driver and on the model at the same time:
///
/// ```swift
/// if let failure = Differential.explore(ContractSubject("mine", MyDatabase.self), seed: 1, steps: 10_000) {
///   print(failure)  // a short list of steps, ready to paste into a regression test
/// }
/// ```
public enum Differential {
  /// Draws `steps` operations from `seed`, compares after each, and shortens the list when something differs.
  /// - Parameters:
  ///   - checkEvery: after how many steps everything is compared, not only what the step touched.
  ///   - shortens: whether the list is made short, which may take a minute.
  @inlinable
  public static func explore<Database>(
    _ subject: ContractSubject<Database>, seed: UInt64, steps count: Int, checkEvery: Int = 50,
    shortens: Bool = true
  ) -> DifferentialFailure? {
    do {
      let rig = try DifferentialRig(subject)
      defer { rig.close() }
      var generator = rig.steps(from: seed)
      for index in 1...max(count, 1) {
        rig.run(generator.next())
        let isDue = index % checkEvery == 0 || index == count
        guard let difference = rig.difference(isThorough: isDue) else { continue }
        var again = rig.steps(from: seed)
        let steps = (0..<index).map { _ in again.next() }
        guard shortens else {
          return DifferentialFailure(
            driver: subject.name, seed: seed, drawn: index, steps: steps, difference: difference)
        }
        return shrunk(steps, difference, subject, seed, checkEvery)
      }
      guard let leak = rig.close() else { return nil }
      return DifferentialFailure(
        driver: subject.name, seed: seed, drawn: count, steps: [], difference: leak)
    } catch {
      return DifferentialFailure(
        driver: subject.name, seed: seed, drawn: 0, steps: [], difference: "it does not boot: \(error)")
    }
  }

  /// Runs `steps`.
  /// - Returns: the first difference, with the steps up to it.
  @inlinable
  public static func replay<Database>(
    _ steps: [DifferentialStep], on subject: ContractSubject<Database>, checkEvery: Int = 1
  ) -> DifferentialFailure? {
    func failure(_ count: Int, _ difference: String) -> DifferentialFailure {
      DifferentialFailure(
        driver: subject.name, seed: nil, drawn: count, steps: Array(steps.prefix(count)),
        difference: difference)
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

  @inlinable static func shrunk<Database>(
    _ steps: [DifferentialStep], _ difference: String, _ subject: ContractSubject<Database>, _ seed: UInt64,
    _ checkEvery: Int
  ) -> DifferentialFailure {
    // Comparing everything after each step finds a difference early, but only a short list is worth that.
    func fails(_ steps: [DifferentialStep]) -> DifferentialFailure? {
      replay(steps, on: subject, checkEvery: steps.count > 1000 ? checkEvery : 1)
    }
    let short = shorten(steps) { fails($0) != nil }
    return DifferentialFailure(
      driver: subject.name, seed: seed, drawn: steps.count, steps: short,
      difference: fails(short)?.difference ?? difference)
  }

  @usableFromInline static func shorten(
    _ steps: [DifferentialStep], _ fails: ([DifferentialStep]) -> Bool
  ) -> [DifferentialStep] {
    withoutActuallyEscaping(fails) { Shrinker(plainer: \.plainerForms, $0).shrink(steps) }
  }
}

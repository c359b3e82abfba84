// SPDX-License-Identifier: MIT

/// A sequence of steps after which a driver, the model and the hardware do not agree.
public struct DifferentialFailure: Sendable, CustomStringConvertible {
  /// The driver under test.
  public let driver: String
  /// The seed that the steps were drawn from; nil for a list that was given.
  public let seed: UInt64?
  /// After how many steps the difference was seen.
  public let drawn: Int
  /// A short list of steps that shows the difference.
  public let steps: [DifferentialStep]
  /// What differs after the last step.
  public let difference: String

  /// Describes a failure.
  public init(driver: String, seed: UInt64?, drawn: Int, steps: [DifferentialStep], difference: String) {
    self.driver = driver
    self.seed = seed
    self.drawn = drawn
    self.steps = steps
    self.difference = difference
  }

  /// The difference, and the steps as a Swift list that `Differential.replay` takes.
  public var description: String {
    let list = steps.map { "  \($0)," }.joined(separator: "\n")
    let origin = seed.map { ", seed \($0), step \(drawn)" } ?? ""
    return "\(driver)\(origin):\n\(difference)\nlet steps: [DifferentialStep] = [\n\(list)\n]"
  }
}

// SPDX-License-Identifier: MIT
public import VMM

/// How one case ended on one machine.
public struct ScenarioOutcome: Sendable {
  /// The group.
  public let group: String
  /// The case.
  public let id: String
  /// What is promised.
  public let promise: String
  /// The setting of transparent huge pages.
  public let hugePages: HugePagePolicy
  /// What was wrong.
  public internal(set) var failures: [ScenarioFailure] = []
  /// Why it did not run; nil when it did.
  public internal(set) var skipped: String?
  /// How long it took.
  public internal(set) var seconds = 0.0

  /// Whether nothing was wrong.
  public var isPassed: Bool { failures.isEmpty && skipped == nil }

  /// The first failure at length: the scenario so far, expected and got. Further ones only say what they expected.
  public var explanation: [String] {
    guard let first = failures.first else { return [] }
    return ["\(id): \(promise)", "the scenario so far:"] + first.story.map { "  \($0)" }
      + failures.flatMap { ["expected: \($0.expected)", "got:      \($0.got)"] }
  }
}

// SPDX-License-Identifier: MIT

/// Makes a failing list of steps short: leaves out ever smaller parts, then makes single steps plainer.
struct Shrinker<Step> {
  private let fails: ([Step]) -> Bool
  private let plainer: (Step) -> [Step]
  private var triesLeft = 2000
  private let deadline: ContinuousClock.Instant

  /// - Parameters:
  ///   - seconds: when to stop trying; a long list is not worth more.
  ///   - plainer: plainer forms of a step, to be tried in its place.
  ///   - fails: whether a list of steps still shows what is looked for.
  init(
    seconds: Int = 60, plainer: @escaping (Step) -> [Step] = { _ in [] }, _ fails: @escaping ([Step]) -> Bool
  ) {
    self.plainer = plainer
    self.fails = fails
    deadline = .now + .seconds(seconds)
  }

  func shrink(_ steps: [Step]) -> [Step] {
    var copy = self
    return copy.simplify(copy.leaveOut(steps))
  }

  private mutating func accept(_ candidate: [Step]) -> Bool {
    guard triesLeft > 0, ContinuousClock.now < deadline else { return false }
    triesLeft -= 1
    return fails(candidate)
  }

  private mutating func leaveOut(_ steps: [Step]) -> [Step] {
    var steps = steps
    var part = max(steps.count / 2, 1)
    while true {
      var start = 0
      var isShorter = false
      while start < steps.count {
        let end = min(start + part, steps.count)
        let candidate = Array(steps[..<start] + steps[end...])
        if !candidate.isEmpty, accept(candidate) {
          steps = candidate
          isShorter = true
        } else {
          start = end
        }
      }
      if part == 1 && !isShorter { return steps }
      part = max(part / 2, 1)
    }
  }

  private mutating func simplify(_ steps: [Step]) -> [Step] {
    var steps = steps
    for index in steps.indices {
      for step in plainer(steps[index]) {
        var candidate = steps
        candidate[index] = step
        if accept(candidate) { steps = candidate }
      }
    }
    return steps
  }
}

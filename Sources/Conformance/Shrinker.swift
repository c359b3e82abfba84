// SPDX-License-Identifier: MIT

/// Makes a failing list of steps short: leaves out ever smaller parts, then makes single steps plainer.
struct Shrinker {
  private let fails: ([DifferentialStep]) -> Bool
  private var triesLeft = 2000
  private let deadline: ContinuousClock.Instant

  /// - Parameter seconds: when to stop trying; a long list is not worth more.
  init(seconds: Int = 60, _ fails: @escaping ([DifferentialStep]) -> Bool) {
    self.fails = fails
    deadline = .now + .seconds(seconds)
  }

  func shrink(_ steps: [DifferentialStep]) -> [DifferentialStep] {
    var copy = self
    return copy.simplify(copy.leaveOut(steps))
  }

  private mutating func accept(_ candidate: [DifferentialStep]) -> Bool {
    guard triesLeft > 0, ContinuousClock.now < deadline else { return false }
    triesLeft -= 1
    return fails(candidate)
  }

  private mutating func leaveOut(_ steps: [DifferentialStep]) -> [DifferentialStep] {
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

  private mutating func simplify(_ steps: [DifferentialStep]) -> [DifferentialStep] {
    var steps = steps
    for index in steps.indices {
      let edits: [(inout DifferentialStep) -> Void] = [
        { ($0.failAfter, $0.failsOnce) = (nil, false) }, { $0.bits = 0 }, { $0.bits &= 7 }, { $0.pages = 1 },
        { $0.pages = max($0.pages / 2, 1) }, { $0.shift = 12 }, { $0.space = 0 },
      ]
      for edit in edits {
        var candidate = steps
        edit(&candidate[index])
        if candidate != steps, accept(candidate) { steps = candidate }
      }
    }
    return steps
  }
}

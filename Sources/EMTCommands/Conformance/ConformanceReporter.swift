// SPDX-License-Identifier: MIT

/// Prints results of the conformance command as they come, in the form that was asked for, and sums up.
struct ConformanceReporter {
  /// What standard output gets.
  enum Style {
    case human, tap, json
  }
  private let style: Style
  private let isRandom: Bool
  private(set) var results: [ConformanceResult] = []
  private var passedHere = 0

  init(_ style: Style, isRandom: Bool) {
    self.style = style
    self.isRandom = isRandom
    if style == .tap { Terminal.print("TAP version 13") }
  }

  /// Shows one result.
  mutating func add(_ result: ConformanceResult) throws(CommandFailure) {
    results.append(result)
    switch style {
    case .json: Terminal.print(try CommonOptions.json(result))
    case .tap:
      let word = result.failures.isEmpty ? "ok" : "not ok"
      Terminal.print("\(word) \(results.count) - \(result.subject): \(result.check)")
      for line in lines(of: result) { Terminal.print("# \(line)") }
    case .human:
      if result.failures.isEmpty {
        passedHere += 1
        if isRandom { Terminal.print("\(result.subject): \(ConformanceReporter.pace(result))") }
      } else {
        Terminal.print("FAILED  \(result.subject): \(result.check)")
        for line in lines(of: result) { Terminal.print("  \(line)") }
      }
    }
  }

  /// Ends the checks of one form of a driver.
  mutating func endSubject() {
    if style == .human, !isRandom, let subject = results.last?.subject {
      Terminal.print("\(subject): \(passedHere) checks passed")
    }
    passedHere = 0
  }

  /// Prints the closing line.
  /// - Returns: the exit status.
  func finish() throws(CommandFailure) -> Int32 {
    let failed = results.filter { !$0.failures.isEmpty }.count
    let summary = ConformanceSummary(passed: results.count - failed, failed: failed, skipped: 0)
    switch style {
    case .json: Terminal.print(try CommonOptions.json(summary))
    case .tap:
      Terminal.print("1..\(results.count)")
      Terminal.print("# \(summary.line)")
    case .human: Terminal.print(summary.line)
    }
    return failed == 0 ? 0 : 1
  }

  private func lines(of result: ConformanceResult) -> [String] {
    guard !result.failures.isEmpty else { return [] }
    let text = result.failures.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }
    return text.map(String.init) + ["rerun: \(result.rerun)"]
  }

  private static func pace(_ result: ConformanceResult) -> String {
    let steps = UInt64(result.steps ?? 0)
    let pace = result.seconds > 0 ? UInt64(Double(steps) / result.seconds) : 0
    return "seed \(result.seed ?? 0), \(Units.grouped(steps)) steps without a difference, "
      + "\(Units.decimal(result.seconds, places: 1)) s, \(Units.grouped(pace)) steps/s"
  }

  /// The results as JUnit's XML, which build servers read.
  var junit: String {
    func escaped(_ text: String) -> String {
      text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
        .replacing("\"", with: "&quot;")
    }
    let failed = results.filter { !$0.failures.isEmpty }.count
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    lines.append("<testsuite name=\"emt conformance\" tests=\"\(results.count)\" failures=\"\(failed)\">")
    for result in results {
      let head =
        "  <testcase classname=\"\(escaped(result.subject))\" name=\"\(escaped(result.check))\""
        + " time=\"\(Units.decimal(result.seconds, places: 3))\""
      guard !result.failures.isEmpty else {
        lines.append(head + "/>")
        continue
      }
      let text = escaped(self.lines(of: result).joined(separator: "\n"))
      lines.append(head + "><failure message=\"\(escaped(result.clause))\">\(text)</failure></testcase>")
    }
    return (lines + ["</testsuite>", ""]).joined(separator: "\n")
  }
}

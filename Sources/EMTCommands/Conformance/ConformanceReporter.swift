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
  /// How many checks failed so far.
  var failed: Int { results.count { !$0.failures.isEmpty } }
  private var matrix = ConformanceMatrix()
  /// Where the results of this form of the driver begin.
  private var subjectStart = 0

  init(_ style: Style, isRandom: Bool) {
    self.style = style
    self.isRandom = isRandom
    if style == .tap { Terminal.print("TAP version 13") }
  }

  /// Shows one result; people get the results of a form of a driver together at its end.
  mutating func add(_ result: ConformanceResult) throws(CommandFailure) {
    results.append(result)
    matrix.add(result)
    switch style {
    case .json: Terminal.print(try CommonOptions.json(result))
    case .tap:
      let word = result.failures.isEmpty ? "ok" : "not ok"
      let skip = result.skipped.map { " # SKIP \($0)" } ?? ""
      Terminal.print("\(word) \(results.count) - \(result.subject): \(result.title)\(skip)")
      for line in lines(of: result) { Terminal.print("# \(line)") }
    case .human:
      guard isRandom else { return }
      if result.failures.isEmpty {
        Terminal.print("\(result.subject): \(ConformanceReporter.pace(result))")
      } else {
        show(result)
      }
    }
  }

  /// Ends the checks of one form of a driver: says how many passed, and what is wrong: of many failures the first ones in a
  /// line each, the basics first, and only the very first one at length.
  mutating func endSubject() {
    let mine = results[subjectStart...]
    subjectStart = results.count
    guard style == .human, let subject = mine.first?.subject else { return }
    let failed = mine.filter { !$0.failures.isEmpty }
    let skipped = mine.filter { $0.skipped != nil }.count
    let skips = skipped > 0 ? ", \(skipped) skipped" : ""
    Terminal.print("\(subject): \(mine.count - failed.count - skipped) checks passed\(skips)")
    if failed.count > 3 {
      for result in failed.prefix(10) {
        Terminal.print("FAILED  \(result.clause) \(result.title): \(result.brief ?? "")")
      }
      if failed.count > 10 { Terminal.print("        … and \(failed.count - 10) more") }
    }
    for result in failed.prefix(failed.count > 3 ? 1 : 3) { show(result) }
  }

  private func show(_ result: ConformanceResult) {
    Terminal.print("FAILED  \(result.subject): \(result.title)")
    for line in lines(of: result) { Terminal.print("  \(line)") }
  }

  /// Prints the matrix and the closing line.
  /// - Returns: the exit status.
  func finish() throws(CommandFailure) -> Int32 {
    let failed = failed
    let skipped = results.filter { $0.skipped != nil }.count
    let summary = ConformanceSummary(
      passed: results.count - failed - skipped, failed: failed, skipped: skipped)
    switch style {
    case .json: Terminal.print(try CommonOptions.json(summary))
    case .tap:
      Terminal.print("1..\(results.count)")
      Terminal.print("# \(summary.line)")
    case .human:
      if !isRandom {
        matrix.print()
        showSkipped()
      }
      Terminal.print(summary.line)
    }
    return failed == 0 ? 0 : 1
  }

  /// What did not run, with the reason, each once.
  private func showSkipped() {
    var reasons: [String: [String]] = [:]
    for result in results {
      guard let reason = result.skipped else { continue }
      if reasons[reason]?.contains(result.check) != true { reasons[reason, default: []].append(result.check) }
    }
    for (reason, checks) in reasons.sorted(by: { $0.key < $1.key }) {
      Terminal.print("skipped where \(reason): \(checks.joined(separator: ", "))")
    }
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
    let skipped = results.filter { $0.skipped != nil }.count
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    lines.append(
      "<testsuite name=\"emt conformance\" tests=\"\(results.count)\" failures=\"\(failed)\""
        + " skipped=\"\(skipped)\">")
    for result in results {
      let head =
        "  <testcase classname=\"\(escaped(result.subject))\" name=\"\(escaped(result.title))\""
        + " time=\"\(Units.decimal(result.seconds, places: 3))\""
      if let reason = result.skipped {
        lines.append(head + "><skipped message=\"\(escaped(reason))\"/></testcase>")
      } else if result.failures.isEmpty {
        lines.append(head + "/>")
      } else {
        let text = escaped(self.lines(of: result).joined(separator: "\n"))
        lines.append(head + "><failure message=\"\(escaped(result.clause))\">\(text)</failure></testcase>")
      }
    }
    return (lines + ["</testsuite>", ""]).joined(separator: "\n")
  }
}

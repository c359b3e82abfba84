// SPDX-License-Identifier: MIT

/// How one check of one form of a driver ended; one line of `emt conformance --json`.
struct ConformanceResult: Encodable {
  var schema = "emt.conformance/1"
  var driver: String
  var options: String
  /// `driver`, or `basic functions only` with customizations hidden.
  var form: String
  var clause: String
  var check: String
  /// The setting of transparent huge pages of a scenario.
  var hugePages: String?
  /// Why it did not run.
  var skipped: String?
  /// `passed`, `failed` or `skipped`.
  var status: String { skipped != nil ? "skipped" : failures.isEmpty ? "passed" : "failed" }
  var seconds: Double
  /// What is wrong, a text for each finding.
  var failures: [String] = []
  /// The first finding in one line.
  var brief: String?
  /// The command that repeats it.
  var rerun: String
  /// The first seed and the steps of a random run.
  var seed: UInt64?
  var steps: Int?

  /// Driver, options and form in words.
  var subject: String {
    ([driver] + (options.isEmpty ? [] : [options])).joined(separator: " ")
      + (form == "driver" ? "" : ", \(form)")
  }

  /// The check, and the setting that it ran with.
  var title: String { hugePages.map { "\(check) (huge pages \($0))" } ?? check }

  /// A group of scenarios, or the part of the contract: `DB` of `DB-5`.
  var group: String { hugePages == nil ? String(clause.prefix { $0 != "-" }) : clause }

  private enum Key: String, CodingKey {
    case schema, driver, options, form, clause, check, status, seconds, failures, rerun, seed, steps, thp,
      reason
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(schema, forKey: .schema)
    try container.encode(driver, forKey: .driver)
    try container.encode(options, forKey: .options)
    try container.encode(form, forKey: .form)
    try container.encode(clause, forKey: .clause)
    try container.encode(check, forKey: .check)
    try container.encode(status, forKey: .status)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(failures, forKey: .failures)
    try container.encode(rerun, forKey: .rerun)
    try container.encodeIfPresent(hugePages, forKey: .thp)
    try container.encodeIfPresent(skipped, forKey: .reason)
    try container.encodeIfPresent(seed, forKey: .seed)
    try container.encodeIfPresent(steps, forKey: .steps)
  }
}

/// The last line of `emt conformance --json`.
struct ConformanceSummary: Encodable {
  var schema = "emt.conformance.summary/1"
  var passed: Int
  var failed: Int
  var skipped: Int

  /// The closing line for people.
  var line: String { "\(passed) passed, \(failed) failed, \(skipped) skipped" }
}

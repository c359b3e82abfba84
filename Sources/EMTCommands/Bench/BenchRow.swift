// SPDX-License-Identifier: MIT

/// One line of a benchmark's report.
struct BenchRow: Codable {
  var schema = "emt.bench/1"
  var driver: String
  var name: String
  /// Which form of the driver, what kind of trace, or `single` for an operation on one page.
  var form: String
  /// Base pages mapped; nil for replays.
  var pages: UInt64?
  var unit: String
  var rounds: Int
  var median: Double
  var minimum: Double
  var maximum: Double
  /// (maximum − minimum) ÷ median: how much the machine's other work disturbed the rounds.
  var spread: Double
  /// Events that the meter counted, per operation; nil where nothing is counted per operation.
  var events: [String: Double]?

  init(driver: String, name: String, form: String, pages: UInt64? = nil, unit: String, samples: [Double]) {
    let sorted = samples.sorted()
    self.driver = driver
    self.name = name
    self.form = form
    self.pages = pages
    self.unit = unit
    rounds = sorted.count
    median = sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    minimum = sorted.first ?? 0
    maximum = sorted.last ?? 0
    spread = median > 0 ? (maximum - minimum) / median : 0
  }
}

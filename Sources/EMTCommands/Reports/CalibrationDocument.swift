// SPDX-License-Identifier: MIT
internal import EMTCore
internal import Foundation
internal import Profiling
internal import VMM

/// Tables of the errors of a fit, for a document in Markdown.
struct CalibrationDocument {
  private static let begin = "<!-- written by Scripts/calibrate: begin -->"
  private static let end = "<!-- written by Scripts/calibrate: end -->"

  private let reports: [CalibrationReport]
  private let policies: [HugePagePolicy]

  init(_ reports: [CalibrationReport], _ policies: [HugePagePolicy]) {
    self.reports = reports
    self.policies = policies
  }

  /// The document at `path` with fresh tables between its marks.
  func replacing(in path: String) throws(CommandFailure) -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw .failed("\(path): cannot be read")
    }
    guard let begin = text.range(of: Self.begin), let end = text.range(of: Self.end),
      begin.upperBound <= end.lowerBound
    else { throw .failed("\(path): the lines '\(Self.begin)' and '\(Self.end)' are not there") }
    return text[..<begin.upperBound] + "\n" + tables + text[end.lowerBound...]
  }

  /// One table of what the fit saw, and one for each policy of what it did not see.
  private var tables: String {
    let saw = unique(reports.flatMap { $0.fitted.map(\.operation) })
    var text = "\nMean error over what the fit saw:\n\n"
    text += row(["driver"] + saw.map { "\($0)" }) + row(["---"] + saw.map { _ in "---:" })
    for report in reports {
      text += row(
        [report.driver]
          + saw.map { operation in
            let errors = report.fitted.filter { $0.operation == operation }.map {
              report.table.relativeError(on: $0).magnitude
            }
            return errors.isEmpty ? "-" : percent(errors.reduce(0, +) / Double(errors.count), isSigned: false)
          })
    }
    for policy in policies { text += checks(policy) }
    return text + "\n"
  }

  private func checks(_ policy: HugePagePolicy) -> String {
    let names = unique(reports.flatMap { $0.traces.map(\.name) }).filter { name in
      policy == .never ? !name.contains(", thp ") : name.hasSuffix(", thp \(policy.rawValue)")
    }
    guard !names.isEmpty else { return "" }
    var text = "\nWhat it did not see, `--thp \(policy.rawValue)`:\n\n"
    text += row(["driver", "operation"] + names.map { String($0.prefix { $0 != "," }) })
    text += row(["---", "---"] + names.map { _ in "---:" })
    for report in reports {
      for operation in unique(report.traces.map(\.operation)) {
        let errors = names.map { name in
          report.traces.first { $0.name == name && $0.operation == operation }.map {
            report.table.relativeError(on: $0)
          }
        }
        guard errors.contains(where: { $0 != nil }) else { continue }
        text += row(
          [report.driver, "\(operation)"] + errors.map { $0.map { percent($0, isSigned: true) } ?? "-" })
      }
    }
    return text
  }

  private func unique<Value: Equatable>(_ values: [Value]) -> [Value] {
    values.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |\n" }

  private func percent(_ value: Double, isSigned: Bool) -> String {
    (isSigned && value >= 0 ? "+" : "") + Units.decimal(value * 100, places: 1)
  }
}

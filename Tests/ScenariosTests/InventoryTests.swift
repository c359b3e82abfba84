// SPDX-License-Identifier: MIT
import Foundation
import Scenarios
import Testing

/// The cases against the list of what is to be checked.
@Suite struct InventoryTests {
  private struct Row {
    var id: String
    var group: String
    var applicable: String
  }

  private func rows() throws -> [Row] {
    let file = try #require(Bundle.module.url(forResource: "Fixtures/inventory", withExtension: "csv"))
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst()
    return lines.map { line in
      let cells = line.split(separator: ",").map(String.init)
      return Row(id: cells[0], group: cells[1], applicable: cells[2])
    }
  }

  private var covered: Set<String> {
    Set(ScenarioCatalog.groups.flatMap { $0.cases.flatMap { [$0.id] + $0.rows } })
  }

  @Test func everyRowOfACompleteGroupHasACaseOrAReason() throws {
    let complete = Set(ScenarioCatalog.groups.filter(\.isComplete).map(\.name))
    let rows = try rows()
    #expect(rows.count == 389)
    for row in rows where complete.contains(row.group) {
      let isThere = covered.contains(row.id)
      let reason = LeftOut.reason(for: row.id)
      #expect(isThere || reason != nil, "\(row.group): \(row.id) has no case")
      #expect(!isThere || reason == nil, "\(row.id) has a case, and a reason to have none")
    }
    let missing = rows.filter { !covered.contains($0.id) && LeftOut.reason(for: $0.id) == nil }
    let groups = Dictionary(grouping: missing, by: \.group).mapValues { $0.map(\.id) }
    for (group, ids) in groups.sorted(by: { $0.key < $1.key }) {
      print("not written yet, \(group): \(ids.joined(separator: " "))")
    }
  }

  @Test func rowsThatDoNotApplyHaveAReason() throws {
    let rows = try rows()
    for row in rows where row.applicable == "no" && !covered.contains(row.id) {
      #expect(LeftOut.reason(for: row.id) != nil, "\(row.id)")
    }
    let known = Set(rows.map(\.id))
    for row in LeftOut.rows { #expect(known.contains(row), "\(row) is no row") }
    #expect(Set(LeftOut.rows).count == LeftOut.rows.count)
    let also = ScenarioCatalog.groups.flatMap { $0.cases.flatMap(\.rows) }
    for row in also { #expect(known.contains(row), "\(row) is no row") }
  }

  @Test func everyCaseHasANameOfItsOwnAndAPromise() {
    let cases = ScenarioCatalog.groups.flatMap(\.cases)
    var seen: Set<String> = []
    for scenario in cases {
      #expect(seen.insert(scenario.id).inserted, "\(scenario.id) is there twice")
      #expect(scenario.promise.hasSuffix("."), "\(scenario.id) promises no sentence")
    }
    #expect(Set(ScenarioCatalog.groups.map(\.name)).count == ScenarioCatalog.groups.count)
    #expect(ScenarioCatalog.find("mmap01")?.group == "mmap")
  }
}

// SPDX-License-Identifier: MIT
import EMTCore
import Foundation
import Profiling
import Testing

/// The fit finds costs that are known, and never a negative one.
struct CostFitTests {
  private let truth: [KernelEvent: Double] = [.faultEntry: 120, .lookup: 35, .entryWrite: 80]

  private func observation(_ name: String, _ counts: [KernelEvent: UInt64]) -> CostFit.Observation {
    let instructions = counts.reduce(0.0) { $0 + (truth[$1.key] ?? 0) * Double($1.value) }
    return CostFit.Observation(
      name: name, operation: .pageFault, counts: counts, instructions: instructions)
  }

  @Test func `costs that explain every run are found`() {
    let runs = [
      observation("a", [.faultEntry: 100, .lookup: 100, .entryWrite: 100]),
      observation("b", [.faultEntry: 100, .lookup: 900, .entryWrite: 50]),
      observation("c", [.faultEntry: 10, .lookup: 20, .entryWrite: 700]),
    ]
    let costs = CostFit().costs(from: runs)
    for (event, cost) in truth { #expect(abs((costs[event] ?? 0) - cost) < 1) }
    let table = CostTable(costs)
    for run in runs { #expect(abs(table.relativeError(on: run)) < 0.01) }
  }

  @Test func `an event that nothing tells of keeps its prior`() {
    let costs = CostFit().costs(from: [observation("a", [.faultEntry: 10])])
    #expect(costs[.clusterMove] == CostFit.prior(.clusterMove))
  }

  @Test func `no cost is negative, whatever is counted`() {
    let runs = [
      CostFit.Observation(
        name: "a", operation: .systemCall, counts: [.systemCallEntry: 1, .lock: 9], instructions: 500),
      CostFit.Observation(
        name: "b", operation: .systemCall, counts: [.systemCallEntry: 1, .lock: 1], instructions: 900),
    ]
    #expect(CostFit().costs(from: runs).values.allSatisfy { $0 >= 0 })
  }

  @Test func `contents of pages are no kernel work`() {
    let run = CostFit.Observation(
      name: "a", operation: .pageFault, counts: [.faultEntry: 2, .contentZeroed: 50], instructions: 200)
    #expect(abs(CostTable([.faultEntry: 100, .contentZeroed: 1000]).relativeError(on: run)) < 1e-9)
    #expect(CostFit().costs(from: [run])[.contentZeroed] == nil)
  }

  @Test func `generated source names every event of every driver`() {
    let source = CostTable.source(of: [("one", CostTable([.lookup: 12.34])), ("two", CostTable([:]))])
    #expect(source.contains("\"one\": CostTable(["))
    #expect(source.contains(".lookup: 12.3,"))
    #expect(source.components(separatedBy: ".clusterMove: 0,").count == 3)
    #expect(source.hasPrefix("// SPDX-License-Identifier: MIT\n"))
  }

  @Test func `every event has a committed cost for every calibrated driver`() {
    for driver in ["radix", "hashed"] {
      #expect(CostTable.isFitted(for: driver))
      let costs = CostTable.fitted(for: driver).costs
      for event in KernelEvent.allCases { #expect(costs[event] != nil, "\(event) on \(driver)") }
    }
    #expect(KernelEvent.count == KernelEvent.allCases.count)
  }
}

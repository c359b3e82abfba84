// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import Foundation
import Reference
import SimMemory
import Testing
import X86Object

@Suite("The contract suite on drivers that keep the contract") struct SuiteTests {
  static var minimal: ContractSubject<MinimalDatabase> {
    ContractSubject("minimal", MinimalDatabase.self, hardware: walk)
  }

  @Test func aDriverWithTheBasicFunctionsOnlyPasses() {
    let report = ContractSuite.run(SuiteTests.minimal)
    #expect(report.isPassed, "\(report)")
  }

  @Test func itPassesWithItsCustomizationsHidden() {
    let report = ContractSuite.run(SuiteTests.minimal.basicOnly)
    #expect(report.isPassed, "\(report)")
  }

  @Test func theModelPassesOnX86Objects() {
    let report = ContractSuite.run(ContractSubject("model", ModelDatabase<X86Object>.self))
    #expect(report.isPassed, "\(report)")
  }

  @Test func theModelPassesOnPlainObjects() {
    let report = ContractSuite.run(ContractSubject("plain model", ModelDatabase<ModelObject>.self))
    #expect(report.isPassed, "\(report)")
  }

  @Test func everyFunctionHasAClause() {
    let clauses = Set(ContractSuite.checks(for: MinimalDatabase.self).map(\.clause))
    let groups = [
      ("OBJ", 1...3), ("DB", 4...8), ("SV", 9...15), ("IT", 1...6), ("HP", 7...12), ("AR", 13...18),
      ("LK", 19...23),
      ("SW", 24...26), ("FL", 27...30), ("IP", 31...35),
    ]
    for (group, numbers) in groups {
      for number in numbers { #expect(clauses.contains("\(group)-\(number)")) }
    }
    let names = ContractSuite.checks(for: MinimalDatabase.self).map(\.name)
    #expect(Set(names).count == names.count)
  }
}

/// The promise that a driver is small to start with.
@Test func theMinimalDriverIsSmall() throws {
  let folder = URL(filePath: #filePath).deletingLastPathComponent()
  let code = try ["MinimalDatabase.swift", "MinimalService.swift"].flatMap { name in
    try String(contentsOf: folder.appending(path: name), encoding: .utf8).split(separator: "\n").filter {
      line in
      let text = line.drop { $0 == " " }
      return !text.isEmpty && !text.hasPrefix("//") && !text.hasPrefix("import ")
    }
  }
  #expect(code.count <= 150, "\(code.count) lines of code")
}

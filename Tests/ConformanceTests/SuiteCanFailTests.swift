// SPDX-License-Identifier: MIT
import Conformance
import Testing

@Suite("The contract suite catches broken drivers") struct SuiteCanFailTests {
  private func expectCaught<Defect: Flaw>(_ defect: Defect.Type, by clause: String) {
    let report = ContractSuite.run(
      ContractSubject("\(defect)", Broken<Defect>.self, hardware: walk), only: clause)
    #expect(report.failedClauses.contains(clause), "\(report)")
  }

  private enum Sound: Flaw {}

  @Test func theSameDriverWithoutAFlawPasses() {
    for clause in ["DB-4", "DB-5", "DB-6", "DB-7", "DB-8", "AR-13", "IT-3", "SV-12", "FL-27"] {
      let report = ContractSuite.run(
        ContractSubject("sound", Broken<Sound>.self, hardware: walk), only: clause)
      #expect(report.isPassed, "\(report)")
    }
  }

  @Test func aLostFlush() { expectCaught(LosesFlush.self, by: "DB-5") }
  @Test func anOverstatedVoid() { expectCaught(OverstatesVoids.self, by: "DB-4") }
  @Test func aForgottenRemoval() { expectCaught(ForgetsRemoval.self, by: "DB-6") }
  @Test func anIgnoredConflict() { expectCaught(IgnoresConflicts.self, by: "DB-5") }
  @Test func lostAccessedAndDirtyBits() { expectCaught(DropsHardwareBits.self, by: "DB-5") }
  @Test func aWrongFootprint() { expectCaught(Miscounts.self, by: "DB-7") }
  @Test func aLeak() { expectCaught(Leaks.self, by: "DB-8") }
  @Test func aVoidTestThatLooksOnce() { expectCaught(LooksOnce.self, by: "AR-13") }
  @Test func aCursorThatOversteps() { expectCaught(Oversteps.self, by: "IT-3") }
  @Test func aDatabaseDestroyedUnderACPU() { expectCaught(PullsTheRug.self, by: "SV-12") }
  @Test func absentCPUsForgotten() { expectCaught(ForgetsAbsentCPUs.self, by: "FL-27") }

  @Test func ofManyFailuresTheFirstOnesAreALineEach() {
    let report = ContractSuite.run(
      ContractSubject("broken", Broken<OverstatesVoids>.self, hardware: walk), parts: [.contract])
    #expect(report.failures.count > 3)
    let lines = report.description.split(separator: "\n")
    #expect(lines[1].hasPrefix("  DB-4 "), "\(report)")
    #expect(lines.count <= 25, "\(report)")
  }

  @Test func aFailureSaysHowToRunItAgain() throws {
    let report = ContractSuite.run(ContractSubject("leaks", Broken<Leaks>.self), only: "DB-8 release")
    let failure = try #require(report.failures.first)
    #expect(failure.description.contains("ContractSuite.run(subject, only: \"DB-8 release\")"))
    #expect(report.checks == ["DB-8 release"])
  }
}

// SPDX-License-Identifier: MIT
import Conformance
import ECPT
import EMTCore
import EntryFormats
import FPT
import Hashed
import MMU
import Radix
import Testing

@Suite("The contract suite on the drivers of this package") struct RealDriverTests {
  static var radix: ContractSubject<RadixDatabase> {
    ContractSubject("radix", RadixDatabase.self, walker: RadixWalker.self)
  }
  static var hashed: ContractSubject<HashedDatabase> {
    ContractSubject("hashed", HashedDatabase.self, walker: HashedWalker.self)
  }

  private func expectKept<Database: TranslationDatabase>(_ subject: ContractSubject<Database>) {
    let report = ContractSuite.run(subject, parts: [.contract])
    #expect(report.isPassed, "\(report)")
  }

  private func expectAgreement<Database: TranslationDatabase>(
    _ subject: ContractSubject<Database>, _ seed: UInt64, steps: Int
  ) {
    let failure = Differential.explore(subject, seed: seed, steps: steps)
    #expect(failure == nil, "\(failure?.description ?? "")")
  }

  @Test func radixKeepsTheContract() {
    expectKept(RealDriverTests.radix)
  }
  @Test func scenariosArePartOfTheSuite() {
    let report = ContractSuite.run(RealDriverTests.radix, only: "mprotect")
    #expect(report.isPassed, "\(report)")
    #expect(report.checks.contains("mprotect01, huge pages always"))
    let without = ContractSuite.run(SuiteTests.minimal, parts: [.scenarios])
    #expect(without.skipped.map(\.reason) == ["the subject has no walker"])
  }

  @Test func radixKeepsItWithCustomizationsHidden() { expectKept(RealDriverTests.radix.basicOnly) }
  @Test func hashedKeepsTheContract() { expectKept(RealDriverTests.hashed) }
  @Test func hashedKeepsItWithCustomizationsHidden() { expectKept(RealDriverTests.hashed.basicOnly) }

  @Test(arguments: [11, 12, 13] as [UInt64]) func radixAgreesWithTheModel(seed: UInt64) {
    expectAgreement(RealDriverTests.radix, seed, steps: 600)
  }
  @Test func radixAgreesWithCustomizationsHidden() {
    expectAgreement(RealDriverTests.radix.basicOnly, 14, steps: 400)
  }
  @Test(arguments: [21, 22] as [UInt64]) func hashedAgreesWithTheModel(seed: UInt64) {
    expectAgreement(RealDriverTests.hashed, seed, steps: 200)
  }
  @Test func hashedAgreesWithCustomizationsHidden() {
    expectAgreement(RealDriverTests.hashed.basicOnly, 24, steps: 150)
  }

  private func ecpt(_ options: [String: String]) -> ContractSubject<ECPTDatabase> {
    ContractSubject(
      "ecpt \(options)", ECPTDatabase.self, walker: ECPTWalker.self, options: DriverOptions(options))
  }

  static let ecptOptions: [[String: String]] = [[:], ["preset": "emt"], ["preset": "paper"], ["kpti": "on"]]

  @Test(arguments: ecptOptions) func ecptKeepsTheContract(options: [String: String]) {
    expectKept(ecpt(options))
    expectKept(ecpt(options).basicOnly)
  }
  @Test(arguments: ecptOptions) func ecptAgreesWithTheModel(options: [String: String]) {
    expectAgreement(ecpt(options), 31, steps: 400)
    expectAgreement(ecpt(options).basicOnly, 32, steps: 200)
  }

  private func tree<Shape: RadixShape>(_ shape: Shape.Type) -> ContractSubject<RadixTree<Shape>> {
    ContractSubject("\(shape)", RadixTree<Shape>.self, walker: RadixTreeWalker<Shape>.self)
  }

  private func expectTree<Shape: RadixShape>(_ shape: Shape.Type) {
    expectKept(tree(shape))
    expectKept(tree(shape).basicOnly)
    expectAgreement(tree(shape), 41, steps: 400)
    expectAgreement(tree(shape).basicOnly, 42, steps: 200)
  }

  @Test func fiveLevelsKeepIt() { expectTree(Radix5Format.self) }
  @Test func l3l2KeepsIt() { expectTree(FlattenedL3L2.self) }
  @Test func l4l3KeepsIt() { expectTree(FlattenedL4L3.self) }
  @Test func l4l3l2l1KeepsIt() { expectTree(FlattenedL4L3L2L1.self) }

  /// What random runs have found.
  @Test func aHugeRunStopsAtTheSmallPageInItsWay() {
    let steps = [
      DifferentialStep(.insertRun, 0x7fff_c040_2000),
      DifferentialStep(.insertRun, 0x7fff_c000_0000, shift: 21, pages: 5),
      DifferentialStep(.remove, 0x7f80_0000_001f_f000),
    ]
    for failure in [
      Differential.replay(steps, on: RealDriverTests.hashed),
      Differential.replay(steps, on: RealDriverTests.hashed.basicOnly),
      Differential.replay(steps, on: RealDriverTests.radix), Differential.replay(steps, on: ecpt([:])),
    ] { #expect(failure == nil, "\(failure?.description ?? "")") }
  }
}

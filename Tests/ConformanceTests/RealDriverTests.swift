// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
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
    let report = ContractSuite.run(subject)
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
}

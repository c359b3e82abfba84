// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import EntryFormats
import FPT
import MMU
import Radix
import RadixSupport
import Testing

@Suite("The contract on flattened page tables") struct ContractTests {
  private func subject<Shape: RadixShape>(_ shape: Shape.Type) -> ContractSubject<FPTDatabase<Shape>> {
    ContractSubject("\(shape)", FPTDatabase<Shape>.self, walker: RadixTreeWalker<Shape>.self)
  }

  private func expectKept<Shape: RadixShape>(_ shape: Shape.Type) {
    let report = ContractSuite.run(subject(shape), parts: [.contract])
    #expect(report.isPassed, "\(report)")
    let basic = ContractSuite.run(subject(shape).basicOnly, parts: [.contract])
    #expect(basic.isPassed, "\(basic)")
  }

  private func expectAgreement<Shape: RadixShape>(_ shape: Shape.Type, _ seed: UInt64) {
    let failure = Differential.explore(subject(shape), seed: seed, steps: 300)
    #expect(failure == nil, "\(failure?.description ?? "")")
    let basic = Differential.explore(subject(shape).basicOnly, seed: seed, steps: 100)
    #expect(basic == nil, "\(basic?.description ?? "")")
  }

  @Test func l3l2KeepsIt() { expectKept(FlattenedL3L2.self) }
  @Test func l4l3KeepsIt() { expectKept(FlattenedL4L3.self) }
  @Test func l4l3l2l1KeepsIt() { expectKept(FlattenedL4L3L2L1.self) }

  @Test(arguments: [31, 32] as [UInt64]) func allAgreeWithTheModel(seed: UInt64) {
    expectAgreement(FlattenedL3L2.self, seed)
    expectAgreement(FlattenedL4L3.self, seed)
    expectAgreement(FlattenedL4L3L2L1.self, seed)
  }
}

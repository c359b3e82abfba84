// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import Reference
import Testing
import X86Object

@Suite("Differential runs") struct DifferentialTests {
  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func theMinimalDriverAgreesWithTheModel(seed: UInt64) {
    let failure = Differential.explore(SuiteTests.minimal, seed: seed, steps: 600)
    #expect(failure == nil, "\(failure?.description ?? "")")
  }

  @Test(arguments: [5, 6] as [UInt64]) func soItDoesWithItsCustomizationsHidden(seed: UInt64) {
    let failure = Differential.explore(SuiteTests.minimal.basicOnly, seed: seed, steps: 600)
    #expect(failure == nil, "\(failure?.description ?? "")")
  }

  @Test func theModelAgreesWithItself() {
    let subject = ContractSubject("plain model", ModelDatabase<ModelObject>.self)
    let failure = Differential.explore(subject, seed: 7, steps: 600)
    #expect(failure == nil, "\(failure?.description ?? "")")
  }

  private func expectShort<Defect: Flaw>(_ defect: Defect.Type, atMost count: Int) throws {
    let subject = ContractSubject("\(defect)", Broken<Defect>.self, hardware: walk)
    let failure = try #require(Differential.explore(subject, seed: 8, steps: 400))
    #expect(failure.steps.count <= count, "\(failure)")
    #expect(Differential.replay(failure.steps, on: subject) != nil, "the short list fails too")
    let sound = Differential.replay(failure.steps, on: SuiteTests.minimal)
    #expect(sound == nil, "a sound driver passes it: \(sound?.description ?? "")")
  }

  @Test func aLostFlushShrinks() throws { try expectShort(LosesFlush.self, atMost: 2) }
  @Test func anOverstatedVoidShrinks() throws { try expectShort(OverstatesVoids.self, atMost: 2) }
  @Test func lostBitsShrink() throws { try expectShort(DropsHardwareBits.self, atMost: 2) }
  @Test func anIgnoredConflictShrinks() throws { try expectShort(IgnoresConflicts.self, atMost: 3) }
  @Test func aForgottenRemovalShrinks() throws { try expectShort(ForgetsRemoval.self, atMost: 2) }
  @Test func aWrongCursorShrinks() throws { try expectShort(Oversteps.self, atMost: 3) }
}

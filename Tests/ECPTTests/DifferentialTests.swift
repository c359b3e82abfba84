// SPDX-License-Identifier: MIT
import ClusterTableSupport
import ECPT
import MMU
import Testing

@Suite struct DifferentialTests {
  typealias Differential = ClusterDifferential<ECPTService, ECPTWalker>

  @Test(arguments: 1...4) func everyOperationAgreesWithADictionary(seed: UInt64) throws {
    #expect(try Differential.run(seed: seed, steps: 400, every: 50) == 0)
  }

  @Test(arguments: 1...4) func operationsWithoutMemoryAgreeWithADictionary(seed: UInt64) throws {
    #expect(try Differential.run(seed: seed &+ 100, steps: 400, every: 40, isStarved: true) > 0)
  }
}

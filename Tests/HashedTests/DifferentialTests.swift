// SPDX-License-Identifier: MIT
import ClusterTableSupport
import Hashed
import MMU
import Testing

@Suite struct DifferentialTests {
  typealias Differential = ClusterDifferential<HashedService, HashedWalker>

  @Test(arguments: 1...8) func everyOperationAgreesWithADictionary(seed: UInt64) throws {
    #expect(try Differential.run(seed: seed, steps: 500, every: 20) == 0)
  }

  @Test(arguments: 1...4) func operationsWithoutMemoryAgreeWithADictionary(seed: UInt64) throws {
    #expect(try Differential.run(seed: seed &+ 100, steps: 400, every: 40, isStarved: true) > 0)
  }
}

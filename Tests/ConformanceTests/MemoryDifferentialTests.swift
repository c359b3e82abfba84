// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import Hashed
import MMU
import Machine
import Radix
import SimMemory
import Testing

/// Random programs against the naive model of memory.
@Suite("Random programs") struct MemoryDifferentialTests {
  private func run<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type, seed: UInt64, steps: Int = 4000
  ) throws -> MemoryReport where Service.Root == Walker.Root {
    let report = try MemoryDifferential.explore(seed: seed, steps: steps) { () throws(MachineError) in
      var configuration = MachineConfiguration()
      configuration.memory = MemoryGeometry(bytes: 4 << 30)
      return try Machine<Service, Walker>(configuration)
    }
    let list = report.culprit.map { "  \($0)," }.joined(separator: "\n")
    #expect(
      report.difference == nil, "seed \(seed), step \(report.steps): \(report.difference ?? "")\n\(list)")
    return report
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func memoryLooksAsItShould(seed: UInt64) throws {
    let radix = try run(RadixService.self, RadixWalker.self, seed: seed)
    let hashed = try run(HashedService.self, HashedWalker.self, seed: seed)
    #expect(radix.digest == hashed.digest, "the drivers do not give the same answers")
  }
}

// SPDX-License-Identifier: MIT
import Conformance
import EMTCore
import Hashed
import MMU
import Machine
import Radix
import SimMemory
import Testing
import VMM

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

/// Programs that random runs failed with once.
@Suite("Random programs that failed once") struct FormerCulpritTests {
  private func replay(_ steps: [MemoryStep]) throws -> String? {
    var configuration = MachineConfiguration()
    configuration.memory = MemoryGeometry(bytes: 1 << 30)
    return MemoryDifferential.replay(steps, on: try Machine<RadixService, RadixWalker>(configuration))
  }

  /// A private mapping had read a file's page when a hole was punched there: it has to see what others store later.
  @Test func storesAfterAHoleAreSeenInPrivateMappings() throws {
    let difference = try replay([
      .call(process: 0, .mmap, [0x20_0100_0000, 0x1000, 3, 0x11, 3, 0x5000]),
      .call(process: 0, .mmap, [0x20_0200_0000, 0x1000, 5, 0x12, 3, 0x5000]),
      .load(process: 0, 0x20_0200_0007),
      .call(process: 0, .fallocate, [3, 3, 0, 0x1_0000]),
      .store(process: 0, 0x20_0100_0fff, 234),
      .load(process: 0, 0x20_0200_0fff),
    ])
    #expect(difference == nil)
  }

  /// MREMAP_DONTUNMAP of several mappings leaves as many pages behind as it makes, and a limit counts them.
  @Test func copiesLeftBehindCountForTheLimit() throws {
    let difference = try replay([
      .call(process: 0, .mmap, [0x20_0100_0000, 0x80_0000, 3, 0x32, .max, 0]),
      .call(process: 0, .mprotect, [0x20_0100_1000, 0x1000, 1]),
      .limit(process: 0, pages: 2000),
      .call(process: 0, .mremap, [0x20_0100_0000, 0x2000, 0x2000, 7, 0x20_0300_0000]),
    ])
    #expect(difference == nil)
  }

  /// MCL_FUTURE is for attached segments too: what is locked cannot be dropped.
  @Test func attachmentsAreLockedWhereTheFutureIs() throws {
    let difference = try replay([
      .call(process: 0, .mlockall, [2]),
      .call(process: 0, .shmget, [1, 0x3000, 0o1600]),
      .call(process: 0, .shmat, [1, 0x20_0100_0000, 0o40000]),
      .call(process: 0, .madvise, [0x20_0100_0000, 0x3000, 4]),
    ])
    #expect(difference == nil)
  }

  /// A sealed attachment stays when its segment is detached.
  @Test func sealedAttachmentsStay() throws {
    let difference = try replay([
      .call(process: 0, .shmget, [1, 0x3000, 0o1600]),
      .call(process: 0, .shmat, [1, 0x20_0100_0000, 0o40000]),
      .call(process: 0, .mseal, [0x20_0100_1000, 0x1000, 0]),
      .call(process: 0, .shmdt, [0x20_0100_0000]),
      .load(process: 0, 0x20_0100_1000),
      .load(process: 0, 0x20_0100_0000),
    ])
    #expect(difference == nil)
  }

  /// remap_file_pages on all that is mapped of shared anonymous memory: the memory lives on.
  @Test func sharedMemoryOutlivesItsOnlyMappingBeingReplaced() throws {
    let difference = try replay([
      .call(process: 0, .mmap, [0x20_0100_0000, 0x2000, 3, 0x31, .max, 0]),
      .store(process: 0, 0x20_0100_1001, 21),
      .call(process: 0, .remapFilePages, [0x20_0100_0000, 0x2000, 0, 0, 0]),
      .load(process: 0, 0x20_0100_1001),
    ])
    #expect(difference == nil)
  }

  /// mseal of nothing changes nothing: it used to cut an area in two.
  @Test func sealingNothingCutsNothing() throws {
    let difference = try replay([
      .call(process: 0, .mmap, [0x20_0120_0000, 0x20_0000, 3, 0x12, 5, 0xc_0000]),
      .call(process: 0, .mseal, [0x20_0121_0000, 0, 0]),
    ])
    #expect(difference == nil)
  }
}

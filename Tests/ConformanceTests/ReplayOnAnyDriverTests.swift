// SPDX-License-Identifier: MIT
import EMTCore
import Events
import Foundation
import Hashed
import MMU
import Machine
import Radix
import SimMemory
import Testing
import Workloads

/// A driver that lives in the tests only, and the real drivers without their customizations, run the whole memory
/// manager on a real program: neutral code needs nothing but the 15 basic functions.
struct ReplayOnAnyDriverTests {
  static var sample: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/EMTCommands/Sample/sample.emtrace").path
  }

  private func replay<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type
  ) throws -> ReplayTally where Service.Root == Walker.Root {
    let machine = try Machine<Service, Walker>()
    var replay = Replay(on: machine)
    var input = try TraceInput.open(paths: [Self.sample])
    try input.run(into: &replay)
    try replay.finish()
    #expect(machine.shutDown() == 0)
    #expect(replay.tally.divergences == 0, "\(replay.tally.divergenceNotes)")
    #expect(replay.tally.fatalFaults == 0)
    #expect(replay.tally.processes == 3)
    return replay.tally
  }

  @Test func fifteenFunctionsAreEnough() throws {
    let minimal = try replay(MinimalService.self, RadixWalker.self)
    let radix = try replay(BasicOnlyService<RadixDatabase>.self, RadixWalker.self)
    let hashed = try replay(BasicOnlyService<HashedDatabase>.self, HashedWalker.self)
    #expect(minimal.faults == radix.faults)
    #expect(minimal.contentDigest == radix.contentDigest)
    #expect(hashed.faults == radix.faults)
    #expect(hashed.contentDigest == radix.contentDigest)
  }
}

// SPDX-License-Identifier: MIT
import EMTCore
import Events
import Hashed
import MMU
import Machine
import Radix
import SimMemory
import Testing
import VMM

/// Small hand-made traces: what valgrind answers itself, refusals, borrowed memory, exhaustion.
struct ReplayTests {
  private let page: UInt64 = 4096

  private func call(
    _ number: UInt32, _ arguments: [UInt64], _ answer: SystemCallRecord.Answer,
    _ origin: SystemCallRecord.Origin = .kernel
  ) -> TraceEvent {
    .systemCall(SystemCallRecord(number: number, arguments: arguments, answer: answer, origin: origin))
  }

  private func replay(
    _ body: (inout Replay<RadixService, RadixWalker>) throws -> Void
  ) throws -> ReplayTally {
    let machine = try Machine<RadixService, RadixWalker>()
    var replay = Replay(on: machine)
    try replay.event(.start(process: 7, isFreshImage: true))
    try body(&replay)
    try replay.finish()
    #expect(machine.shutDown() == 0)
    return replay.tally
  }

  @Test func aWishInPlaceOfNoReplace() throws {
    let base: UInt64 = 0x40_0000_0000
    let tally = try replay { replay in
      try replay.event(call(9, [0, page, 3, 0x22, .max, 0], .success(base), .tracer))
      try replay.event(call(9, [base, page, 3, 0x100022, .max, 0], .success(base + page), .tracer))
      try replay.access(.store, VirtualAddress(base + page), size: 8)
    }
    #expect(tally.divergences == 0)
    #expect(tally.valgrindAnswers == 1)
  }

  @Test func hugePagesAreThereWhereLinuxHadThem() throws {
    let (base, flags): (UInt64, UInt64) = (0x40_0000_0000, 0x40022)
    let huge: UInt64 = 2 << 20
    let tally = try replay { replay in
      try replay.event(call(9, [0, 2 * huge, 3, flags, .max, 0], .success(base)))
      try replay.access(.store, VirtualAddress(base + huge), size: 8)
      try replay.event(call(11, [base, page], .failure(22)))
      try replay.event(call(9, [0, huge, 3, flags | 0x4000, .max, 0], .success(base + 4 * huge)))
      try replay.access(.store, VirtualAddress(base + 4 * huge), size: 8)
      try replay.event(call(9, [0, huge, 3, flags, .max, 0], .failure(12)))
      try replay.event(call(319, [0, 4], .success(3)))
      try replay.event(call(77, [3, page], .failure(22)))
      try replay.event(call(11, [base, 2 * huge], .success(0)))
    }
    #expect(tally.divergences == 0)
    #expect(tally.faults.huge == 2)
    #expect(tally.resourceRefusals == 1)
  }

  @Test func callsThatValgrindDoesNotKnowHaveNoEffect() throws {
    let tally = try replay { replay in
      try replay.event(call(325, [], .failure(38), .tracer))
      try replay.event(call(462, [], .failure(38), .tracer))
    }
    #expect(tally.divergences == 0)
    #expect(tally.valgrindAnswers == 2)
  }

  @Test func anAddressThatIsNoneIsRefusedWithItsOwnCode() throws {
    let tally = try replay { replay in
      try replay.access(.load, VirtualAddress(1 << 63), size: 1)
      try replay.event(
        .refused(Refusal(signal: .segmentationFault, code: 128, address: VirtualAddress(0))))
    }
    #expect(tally.divergences == 0)
    #expect(tally.expectedRefusals == 1)
    let wrong = try replay { replay in
      try replay.access(.load, VirtualAddress(1 << 63), size: 1)
      try replay.event(
        .refused(Refusal(signal: .segmentationFault, code: 1, address: VirtualAddress(1 << 63))))
    }
    #expect(wrong.divergences > 0)
  }

  @Test func aBorrowerDoesNotMoveItsParentsBreak() throws {
    let start: UInt64 = 0x40_0000_0000
    let tally = try replay { replay in
      try replay.event(call(12, [0], .success(start), .tracer))
      try replay.event(call(12, [start + page], .success(start + page), .tracer))
      try replay.event(.fork(child: 8, kind: .borrow))
      try replay.event(.run(process: 8, thread: 8))
      try replay.event(call(12, [start + 9 * page], .success(start + 9 * page), .tracer))
      try replay.access(.store, VirtualAddress(start + 8 * page), size: 8)
      try replay.event(.exit)
      try replay.event(.run(process: 7, thread: 7))
      try replay.event(call(12, [start + 2 * page], .success(start + 2 * page), .tracer))
      try replay.access(.store, VirtualAddress(start + page), size: 8)
    }
    #expect(tally.divergences == 0)
  }

  @Test func pagesThatValgrindKeptBelowAnOldBreakDoNotStopIt() throws {
    let start: UInt64 = 0x40_0000_0000
    let tally = try replay { replay in
      for end in [0, start + 4 * page, start + page] {
        try replay.event(call(12, [end], .success(max(end, start)), .tracer))
      }
      try replay.access(.store, VirtualAddress(start + 2 * page), size: 8)
      try replay.event(call(12, [start + 4 * page], .success(start + 4 * page), .tracer))
    }
    #expect(tally.divergences == 0)
    #expect(tally.inferredPages == 1)
  }

  @Test func aRefusalForPermissionsIsTakenOver() throws {
    let base: UInt64 = 0x40_0000_0000
    let tally = try replay { replay in
      try replay.event(call(9, [0, page, 3, 0x22, .max, 0], .success(base), .tracer))
      try replay.event(call(149, [base, page], .failure(1)))
      try replay.event(call(77, [5, 0], .failure(22)))
    }
    #expect(tally.divergences == 0)
    #expect(tally.resourceRefusals == 2)
  }

  @Test func wrongAnswersDiverge() throws {
    let base: UInt64 = 0x40_0000_0000
    let tally = try replay { replay in
      try replay.event(call(9, [0, page, 3, 0x22, .max, 0], .success(base), .tracer))
      try replay.event(call(10, [base + 1, page, 1], .success(0)))
      try replay.event(call(11, [base, page], .failure(22)))
      try replay.event(call(77, [5, 0], .failure(9)))
    }
    #expect(tally.divergences == 2)
  }

  @Test(arguments: [0, 1, 2, 3, 5, 8, 13, 21]) func exhaustionStopsAndLosesNothing(after successes: Int)
    throws
  {
    try exhaust(RadixService.self, RadixWalker.self, successes)
    try exhaust(HashedService.self, HashedWalker.self, successes)
  }

  private func exhaust<Service: TranslationService, Walker: PageWalker>(
    _ service: Service.Type, _ walker: Walker.Type, _ successes: Int
  ) throws where Service.Root == Walker.Root {
    let machine = try Machine<Service, Walker>()
    var replay = Replay(on: machine)
    let base: UInt64 = 0x40_0000_0000
    machine.platform.memory.allocator.injectFailure(after: successes, staysBroken: true)
    #expect(throws: ReplayStop.outOfMemory) {
      try replay.event(.start(process: 7, isFreshImage: true))
      try replay.event(call(9, [0, 64 * page, 3, 0x22, .max, 0], .success(base), .tracer))
      for number in 0..<UInt64(64) {
        try replay.access(.store, VirtualAddress(base + number * page), size: 8)
      }
    }
    machine.platform.memory.allocator.stopInjectingFailures()
    #expect(machine.shutDown() == 0)
  }
}

// SPDX-License-Identifier: MIT
import Scenarios
import SimMemory
import Testing
import VMM

/// A framework that cannot fail proves nothing.
@Suite struct ScenarioFailureTests {
  private func run(_ body: @escaping @Sendable (Program) throws -> Void) -> ScenarioOutcome {
    let runner = ScenarioRunner(ScenarioDriver.radix.boot(hidden: false))
    return runner.run(ScenarioCase("wrong", "It is wrong on purpose.", body), in: "test", .never)
  }

  @Test func aFailureTellsTheStoryWithExpectedAndGot() {
    let outcome = run { p in
      let at = try p.map(2, protection: .read)
      p.expectLoad(at, 9)
    }
    #expect(!outcome.isPassed)
    #expect(outcome.failures.map(\.expected) == ["9 at 0x7ffff7ffd000"])
    #expect(outcome.failures.map(\.got) == ["0"])
    let text = outcome.explanation.joined(separator: "\n")
    #expect(text.contains("1. mmap(address: 0, bytes: 8192, protection: r--"), "\(text)")
    #expect(text.contains("2. load 0x7ffff7ffd000"), "\(text)")
    #expect(text.contains("expected: 9 at 0x7ffff7ffd000\ngot:      0"), "\(text)")
  }

  @Test func everyKindOfExpectationCanFail() {
    let outcome = run { p in
      let at = try p.map(2)
      p.expectErrno(.einval) { try p.unmap(at, pages: 2) }
      p.expectSignal(.bus, .load, at)
      p.expectLayout(at, [.area(2)])
      p.expectFaults(minor: 1) {}
      p.expect(p.lockedPages, 5, "locked pages")
    }
    #expect(
      outcome.failures.map { "\($0.expected): \($0.got)" } == [
        "EINVAL: success", "SIGBUS for a load at 0x7ffff7ffd000: SIGSEGV (notMapped)",
        "the layout from 0x7ffff7ffd000: rw-p 2: hole 2", "1 minor faults: 0", "locked pages: 5: 0",
      ])
  }

  @Test func aBodyGoesOnAfterAFailureAndEndsWithARefusedCall() {
    let outcome = run { p in
      p.expect(false, "the first")
      p.expect(false, "the second")
      try p.unmap(1)
      p.expect(false, "never reached")
    }
    #expect(outcome.failures.map(\.expected) == ["the first", "the second", "the last call succeeds"])
    #expect(outcome.failures.last?.got == "EINVAL")
  }

  @Test func whatIsLeftBehindIsFound() {
    let outcome = run { p in
      let file = try p.file("kept by nobody", size: page)
      p.host.files.retain(p.host.openFile(p.pid, UInt32(file.number))?.file ?? FileID(0))
    }
    #expect(outcome.failures.first?.got == "1 files are left at the end")
    #expect(outcome.failures.count == 2)
  }

  @Test func aCaseThatTheMachineCannotServeIsSkippedWithAReason() {
    let runner = ScenarioRunner(ScenarioDriver.radix.boot(hidden: false))
    let scenario = ScenarioCase("x", "It needs huge pages.", needs: Needs(hugePages: .always)) { _ in }
    #expect(runner.run(scenario, in: "test", .never).skipped == "it is about transparent huge pages 'always'")
    #expect(runner.run(scenario, in: "test", .always).isPassed)
  }

  private let page: UInt64 = 4096
}

// SPDX-License-Identifier: MIT
import Foundation
import Testing
import Workloads

let hasValgrind = ["/usr/bin/valgrind", "/usr/local/bin/valgrind"].contains {
  FileManager.default.isExecutableFile(atPath: $0)
}

/// Recording a real program.
@Suite(.serialized) struct RecorderTests {
  @Test(.enabled(if: hasValgrind, "valgrind is not installed"), .timeLimit(.minutes(5)))
  func aProgramAndItsChildAreRecorded() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/sh.emtrace"
    let result = try Recorder(output: file, command: ["/bin/sh", "-c", "/bin/true; (exit 1); exit 3"]).run()
    #expect(result.status == 3)
    #expect(result.totals.processes >= 2)
    #expect(result.totals.accesses > 10_000)
    #expect(result.traceBytes < result.totals.accesses)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["sh.emtrace"])
    var sink = CountingSink()
    var input = try TraceInput.open(paths: [file])
    try input.run(into: &sink)
    #expect(sink.accesses == result.totals.accesses)
  }

  @Test(.enabled(if: hasValgrind, "valgrind is not installed"), .timeLimit(.minutes(1)))
  func aMissingProgramIsAnErrorAndLeavesNothing() throws {
    let folder = try TemporaryFolder()
    #expect(throws: TraceError.self) {
      try Recorder(output: folder.path + "/x.emtrace", command: ["/no/such/program"]).run()
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func missingValgrindIsNamed() throws {
    let folder = try TemporaryFolder()
    var recorder = Recorder(output: folder.path + "/x.emtrace", command: ["/bin/true"])
    recorder.valgrind = "no-such-valgrind"
    let expected = TraceError(file: "no-such-valgrind", problem: .missingTool("no-such-valgrind"))
    #expect(throws: expected) { try recorder.run() }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }
}

// SPDX-License-Identifier: MIT
import Foundation
import Testing

/// `emt conformance` as a program.
struct ConformanceTests {
  @Test func oneClauseOfOneDriverPasses() throws {
    let run = try Tool.run(["conformance", "--driver", "radix", "--filter", "SW-24"])
    #expect(run.status == 0)
    #expect(run.output.split(separator: "\n").last?.hasSuffix("passed, 0 failed, 0 skipped") == true)
    #expect(run.errors.isEmpty)
  }

  @Test func jsonLinesNameEveryCheckAndSumUp() throws {
    let run = try Tool.run(["conformance", "--driver", "hashed", "--filter", "SW-*", "--json"])
    let lines = try run.jsonLines()
    let summary = try #require(lines.last)
    #expect(summary["failed"] as? Int == 0)
    #expect(summary["passed"] as? Int == lines.count - 1)
    #expect(lines.dropLast().allSatisfy { $0["status"] as? String == "passed" })
    #expect(Set(lines.dropLast().compactMap { $0["form"] as? String }) == ["driver", "basic functions only"])
  }

  @Test func tapIsNumberedAndPlanned() throws {
    let run = try Tool.run(["conformance", "--driver", "radix", "--basic-only", "--filter", "SW-24", "--tap"])
    let lines = run.output.split(separator: "\n")
    #expect(lines.first == "TAP version 13")
    #expect(lines.contains { $0.hasPrefix("ok 1 - ") })
    #expect(lines.contains { $0.hasPrefix("1..") })
  }

  @Test func junitIsWritten() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + ".xml")
    defer { try? FileManager.default.removeItem(at: file) }
    let run = try Tool.run(["conformance", "--driver", "radix", "--filter", "SW-24", "--junit", file.path])
    #expect(run.status == 0)
    let text = try String(contentsOf: file, encoding: .utf8)
    #expect(text.contains("<testsuite") && text.contains("failures=\"0\""))
  }

  @Test func aScenarioRunsWithAndWithoutHugePages() throws {
    let run = try Tool.run(["conformance", "--driver", "radix", "--filter", "mprotect02"])
    #expect(run.status == 0, "\(run.output)")
    let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(lines.contains(["group", "radix"]), "\(run.output)")
    #expect(lines.contains(["mprotect", "4"]), "\(run.output)")
    #expect(run.output.hasSuffix("4 passed, 0 failed, 0 skipped\n"))
    let always = try Tool.run([
      "conformance", "--driver", "radix", "--natural-only", "--thp", "always", "--filter", "mprotect02",
      "--json",
    ])
    let results = try always.jsonLines()
    #expect(results.count == 2)
    #expect(results.first?["thp"] as? String == "always")
    #expect(results.first?["clause"] as? String == "mprotect")
  }

  @Test func checksAreListedWithWhatTheyPromise() throws {
    let run = try Tool.run(["conformance", "--list"])
    #expect(run.status == 0)
    #expect(run.output.contains("DB-5 refusals"))
    #expect(run.output.contains("mprotect: mprotect02"))
  }

  @Test func aRandomRunSaysItsSeed() throws {
    let run = try Tool.run(["conformance", "--random", "--driver", "radix", "--steps", "300", "--seed", "7"])
    #expect(run.status == 0, "\(run.output)")
    #expect(run.output.contains("seed 7"))
    #expect(run.output.hasSuffix("2 passed, 0 failed, 0 skipped\n"))
  }
}

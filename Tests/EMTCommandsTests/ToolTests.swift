// SPDX-License-Identifier: MIT
import Foundation
import Testing

/// The tool as a program: what it prints, where, and how it ends.
struct ToolTests {
  @Test func theMainJobNeedsNoArguments() throws {
    let run = try Tool.run([])
    #expect(run.status == 0)
    #expect(run.output.contains("radix"))
    #expect(run.output.contains("hashed"))
    #expect(run.output.contains("modelled"))
    #expect(run.output.contains("all drivers agree on faults, mapped pages and contents"))
    #expect(run.errors.isEmpty)
  }

  @Test func driversAreListedAsJSON() throws {
    let run = try Tool.run(["drivers", "--json"])
    let names = try run.jsonLines().map { try #require($0["name"] as? String) }
    #expect(names.contains("radix") && names.contains("hashed"))
    #expect(run.status == 0)
  }

  @Test func aReplayIsOneLineOfJSONWithTheAgreedKeys() throws {
    let run = try Tool.run(["replay", Tool.sample, "--driver", "radix", "--json"])
    let line = try #require(try run.jsonLines().first)
    #expect(run.status == 0)
    #expect(try run.jsonLines().count == 1)
    #expect(line["schema"] as? String == "emt.replay/1")
    for (key, parts) in [
      "accesses": ["fetch", "load", "store"], "syscalls": ["total", "memory"],
      "faults": ["minor", "major", "cow", "huge", "fatal"], "mappedPages": ["peak", "final"],
      "pageTableBytes": ["peak", "final", "emptyProcess", "largestProcess"],
      "kernelWork": ["total", "pageFault", "systemCall", "khugepaged", "reclaim", "other"],
      "translation": ["lookups", "tlbMisses", "walks", "walkReferences", "walkCycles"],
    ] {
      let object = try #require(line[key] as? [String: Any], "\(key)")
      for part in parts { #expect(object[part] is NSNumber, "\(key).\(part)") }
    }
    for key in ["driver", "trace", "thp", "processes", "divergences", "contentWork", "seconds"] {
      #expect(line[key] != nil, "\(key)")
    }
    #expect((line["divergences"] as? NSNumber)?.intValue == 0)
  }

  @Test(arguments: [
    (["replya"], "did you mean 'replay'"),
    (["replay"], "no trace named"),
    (["replay", "x.emtrace"], "--driver is missing"),
    (["replay", "missing.emtrace", "--driver", "radix"], "missing.emtrace"),
    (["replay", "x", "--driver", "radixx"], "did you mean 'radix'"),
    (["replay", "x", "--driver", "radix", "--jsno"], "did you mean --json"),
    (["replay", "x", "--driver", "radix", "--memory", "lots"], "is no size"),
    (["replay", "x", "--driver"], "needs a value"),
    (["compare", "--khugepaged", "often"], "no number of accesses"),
    (["compare", "--thp", "sometimes"], "unknown policy"),
    (["compare", "--drivers", "radix,nonesuch"], "unknown driver 'nonesuch'"),
    (["record", "-o", "x.emtrace"], "name the program"),
    (["record", "--", "true"], "-o FILE is missing"),
    (["conformance", "radix"], "--driver radix"),
    (["conformance", "--driver", "radixx"], "did you mean 'radix'"),
    (["conformance", "--filter", "XY-*"], "no check fits"),
    (["conformance", "--steps", "10"], "belongs to --random"),
    (["conformance", "--random", "--steps", "many"], "is no number of steps"),
    (["conformance", "--random", "--seed", "-1"], "is no number"),
    (["conformance", "--tap", "--json"], "use one"),
    (["conformance", "--driver", "radix", "--options", "preset=emt"], "has no option 'preset'"),
    (["conformance", "--random", "--list"], "--random and --host run none"),
    (["conformance", "--mutations", "--filter", "nothing-*"], "planted bug"),
    (["conformance", "--trial", "nothing"], "planted bug"),
    (["bench", "--memroy"], "did you mean --memory"),
    (["bench", "--memory", "--inserts"], "two runs"),
    (["bench", "--memory", "x.emtrace"], "unexpected 'x.emtrace'"),
    (["bench", "--inserts", "--rounds", "2"], "takes no --rounds"),
    (["bench", "--pages", "some"], "'some' is no number from 64 to 4M"),
    (["bench", "--pages", "64K,"], "'' is no number from 64 to 4M"),
    (["bench", "--pages", "8"], "'8' is no number from 64 to 4M"),
    (["bench", "--scale", "lots"], "'lots' is no size from 1M to 3T"),
    (["bench", "--scale", "1M,4T"], "'4T' is no size from 1M to 3T"),
    (["bench", "--scale", "1M", "--memory"], "two runs"),
    (["bench", "--scale", "1M", "--rounds", "2"], "takes no --rounds"),
    (["bench", "--count"], "belongs to --scale"),
    (["bench", "--rounds", "0"], "'0' is no number from 1 to 99"),
    (["bench", "--driver", "ecptt"], "did you mean 'ecpt'"),
    (["calibrate", "--run", "micros", "--driver", "radix"], "micro, contents or traces"),
    (["calibrate", "--check"], "need a TRACE"),
    (["calibrate", "--faults", "x.emtrace", "--output", "y"], "fit nothing"),
    (["calibrate", "--check", "x.emtrace", "--docs", "y"], "fit nothing"),
    (["calibrate", "--check", "x.emtrace", "--thp", "never,often"], "unknown policy 'often'"),
    (["calibrate", "--run", "micro", "--driver", "radix", "--thp", "never,always"], "one --thp"),
  ])
  func wrongUsageIsOneClearLineAndStatusTwo(_ words: [String], _ hint: String) throws {
    let run = try Tool.run(words)
    #expect(run.status == 2)
    #expect(run.output.isEmpty)
    #expect(run.errors.contains(hint), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: ["", "\u{0}\u{1}\u{2}binary", "I  0400", "hello\n", " L 1ffe,8\nI  zzzz,3\n"])
  func damagedTextIsOneClearLineAndStatusTwo(_ text: String) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("bad.1.txt")
    try text.write(to: file, atomically: true, encoding: .utf8)
    let run = try Tool.run(["replay", file.path, "--driver", "radix"])
    #expect(run.status == 2)
    #expect(run.errors.contains("bad.1.txt"))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func exhaustedMemoryIsOneLineAndStatusOne() throws {
    let run = try Tool.run(["replay", Tool.sample, "--driver", "radix", "--memory", "1100K"])
    #expect(run.status == 1)
    #expect(run.errors.contains("memory"))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: [
    "compare", "replay", "record", "convert", "drivers", "conformance", "fuzz", "bench", "calibrate",
  ])
  func everyCommandExplainsItself(_ command: String) throws {
    let run = try Tool.run([command, "--help"])
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("usage: emt \(command)"))
  }
}

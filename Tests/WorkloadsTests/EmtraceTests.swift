// SPDX-License-Identifier: MIT
import Events
import Foundation
import SimMemory
import Testing
import Workloads

/// The compact format: exact, checked, small.
@Suite struct EmtraceTests {
  func pack(_ paths: [String], into file: String) throws -> TraceTotals {
    var input = try TraceInput.open(paths: paths)
    var writer = try EmtraceWriter(path: file)
    try input.run(into: &writer)
    try writer.finish(untracedChildren: input.untracedChildren)
    return writer.totals
  }

  @Test func aRealRunComesBackAsItWas() throws {
    let folder = try TemporaryFolder()
    let text = [try fixture("munmap01.5771.txt"), try fixture("munmap01.5773.txt")]
    let file = folder.path + "/run.emtrace"
    let totals = try pack(text, into: file)
    #expect(try events([file]) == events(text))
    #expect(totals.processes == 2)
    #expect(try TraceInput.open(paths: [file]).processCount == 2)
    #expect(try TraceInput.open(paths: [file]).name == "run")
  }

  /// Counted in the text: `grep -c` of each kind of line.
  @Test(arguments: [("brk01", 3, 162_083, 237, 0), ("munmap01", 5, 170_157, 212, 2)])
  func wholeRunsHoldWhatTheirTextHeld(
    _ name: String, _ processes: Int, _ accesses: Int, _ calls: Int, _ refusals: Int
  )
    throws
  {
    var input = try TraceInput.open(paths: [try fixture("\(name).emtrace")])
    #expect(input.processCount == processes && input.name == name)
    var sink = CountingSink()
    try input.run(into: &sink)
    #expect(sink.accesses == UInt64(accesses))
    #expect(sink.systemCalls == UInt64(calls) && sink.refusals == UInt64(refusals))
    let size = try #require(input.totalBytes)
    #expect(Double(size) / Double(accesses) < 1)
  }

  @Test func packingAPackedRunChangesNothing() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/again.emtrace"
    _ = try pack([try fixture("brk01.emtrace")], into: file)
    #expect(try Array(Data(contentsOf: URL(filePath: file))) == fixtureBytes("brk01.emtrace"))
  }

  @Test func everyEventComesBack() throws {
    let events: [TraceEvent] = [
      .start(process: 7, isFreshImage: true), .run(process: 7, thread: 7), .fork(child: 9, kind: .borrow),
      .fork(child: .max, kind: .thread), .exec,
      .stackGrown(faultAddress: VirtualAddress(.max), base: VirtualAddress(0)),
      .refused(Refusal(signal: .segmentationFault, code: 128, address: VirtualAddress(0xdead))),
      .refused(Refusal(signal: .busError, code: 2, address: nil)),
      .systemCall(
        SystemCallRecord(
          number: 257, arguments: [0, .max, 1 << 63], strings: [1: "/a, b)", 5: "", 2: "ü\u{0}"],
          answer: .failure(2))),
      .systemCall(SystemCallRecord(number: 12, arguments: [], answer: .success(.max), origin: .tracer)),
      .systemCall(SystemCallRecord(number: 231, arguments: [1], answer: .unknown)), .exit,
    ]
    let folder = try TemporaryFolder()
    let file = folder.path + "/e.emtrace"
    var writer = try EmtraceWriter(path: file)
    for event in events { try writer.event(event) }
    try writer.finish()
    #expect(try WorkloadsTests.events([file]) == events.map(describe))
  }

  /// Accesses that no guess fits: every token of the format, both ends of the address space, all sizes.
  @Test(arguments: 0..<20) func randomAccessesComeBack(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let folder = try TemporaryFolder()
    let file = folder.path + "/r.emtrace"
    var writer = try EmtraceWriter(path: file)
    var expected = ListSink()
    var address: UInt64 = 0x40_0000
    let pool = (0..<16).map { _ in UInt64.random(in: 0...UInt64.max - 4096, using: &random) }
    for _ in 0..<20_000 {
      let kind = AccessKind.allCases[Int.random(in: 0..<3, using: &random)]
      switch Int.random(in: 0..<6, using: &random) {
      case 0: address = pool[Int.random(in: 0..<16, using: &random)]
      case 1: address = UInt64.random(in: 0...UInt64.max - 4096, using: &random)
      case 2: address = min(address &+ UInt64.random(in: 0..<1 << 20, using: &random), .max - 4096)
      default: address = min(address &+ UInt64.random(in: 0..<64, using: &random), .max - 4096)
      }
      let size: UInt32 = Bool.random(using: &random) ? 8 : .random(in: 1...4096, using: &random)
      try writer.access(kind, VirtualAddress(address), size: size)
      expected.access(kind, VirtualAddress(address), size: size)
      if Int.random(in: 0..<500, using: &random) == 0 {
        try writer.event(.exec)
        expected.event(.exec)
      }
    }
    try writer.finish()
    #expect(try events([file]) == expected.lines)
  }

  @Test func longRunsOfRightGuessesTakeNoRoom() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/l.emtrace"
    var writer = try EmtraceWriter(path: file)
    for round in 0..<100_000 {
      try writer.access(.fetch, VirtualAddress(0x1000), size: 4)
      try writer.access(.load, VirtualAddress(0x8000 + UInt64(round) * 8), size: 8)
    }
    try writer.finish()
    #expect(writer.bytesWritten < 300)
    var sink = CountingSink()
    var input = try TraceInput.open(paths: [file])
    try input.run(into: &sink)
    #expect(sink.fetches == 100_000 && sink.loads == 100_000 && sink.bytes == 1_200_000)
  }

  @Test func badAccessesAreNotWritten() throws {
    let folder = try TemporaryFolder()
    var writer = try EmtraceWriter(path: folder.path + "/b.emtrace")
    #expect(throws: TraceError.self) { try writer.access(.load, VirtualAddress(0), size: 0) }
    #expect(throws: TraceError.self) { try writer.access(.load, VirtualAddress(0), size: 4097) }
    #expect(throws: TraceError.self) { try writer.access(.load, VirtualAddress(.max), size: 2) }
  }

  /// One flipped bit, or a cut, anywhere: always an error that names the file.
  @Test(arguments: 0..<300) func damageIsFound(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let whole = try fixtureBytes("brk01.emtrace")
    var bytes = whole
    if seed % 3 == 0 {
      bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
    } else {
      let place =
        seed % 3 == 1
        ? Int.random(in: 0..<64, using: &random) : Int.random(in: 0..<bytes.count, using: &random)
      bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    }
    let folder = try TemporaryFolder()
    let file = try folder.write("d.emtrace", bytes)
    var sink = CountingSink()
    do {
      var input = try TraceInput.open(paths: [file])
      try input.run(into: &sink)
      Issue.record("damage went unnoticed")
    } catch { #expect("\(error)".contains("d.emtrace") && "\(error)".contains("; "), "\(error)") }
  }

  @Test func trailingBytesAndOtherVersionsAreRefused() throws {
    let folder = try TemporaryFolder()
    let longer = try folder.write("a.emtrace", try fixtureBytes("brk01.emtrace") + [0])
    #expect(throws: FeedFailure<Never>.self) { _ = try events([longer]) }
    #expect(throws: TraceError.self) { _ = try events([longer, longer]) }
  }
}

// SPDX-License-Identifier: MIT
import Foundation
import Testing
import Workloads

/// Compact traces whose checksums are right and whose content is nonsense.
@Suite struct CraftedTraceTests {
  /// A trace of one block.
  func trace(_ payload: [UInt8], records: UInt64) -> [UInt8] {
    var bytes: [UInt8] = [0x89] + Array("EMTRACE".utf8)
    bytes.append32(1)
    bytes.append32(0)
    bytes.append64(0)
    bytes.append64(Checksum.of(bytes))
    var header: [UInt8] = []
    header += Array("EMTB".utf8)
    header.append32(UInt32(payload.count))
    header.append64(0)
    header.append64(records)
    header.append64(Checksum.of(payload, seed: Checksum.of(header)))
    return bytes + header + payload
  }

  func outcome(_ bytes: [UInt8]) throws -> String {
    let folder = try TemporaryFolder()
    let file = try folder.write("c.emtrace", bytes)
    do {
      _ = try events([file])
      return "accepted"
    } catch { return "\(error)" }
  }

  @Test func aTraceOfAnotherVersionIsRefused() throws {
    var bytes = Array(trace([], records: 0)[..<24])
    bytes[8] = 2
    bytes.append64(Checksum.of(bytes))
    #expect(try outcome(bytes).contains("format version 2 is not supported; use a newer emt"))
  }

  /// A guess where nothing has been learned, more records than announced, an event that runs past its block.
  @Test(arguments: [
    ([0x01], 1, "a record makes no sense"), ([0x05], 1, "the block holds too many records"),
    ([0x00, 0x7F], 0, "an event runs past its block"),
    ([0x00, 0x01, 0x00], 3, "the block's sums do not match"),
    ([0x00, 0x01, 0x63], 0, "an event makes no sense"), ([0xF0, 0x01], 1, "a record makes no sense"),
    ([0x80, 0x01], 1, "a record makes no sense"), ([], 0, "truncated"),
  ]) func nonsenseIsRefused(_ payload: [UInt8], _ records: Int, _ expected: String) throws {
    let found = try outcome(trace(payload, records: UInt64(records)))
    #expect(found.contains(expected), "\(found)")
  }

  @Test(arguments: 0..<300) func randomPayloadsAreSurvived(_ seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let payload = (0..<Int.random(in: 1..<2000, using: &random)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    let found = try outcome(trace(payload, records: UInt64.random(in: 0..<5000, using: &random)))
    #expect(found.contains("c.emtrace:block 0 (byte 32): damaged"), "\(found)")
  }

  @Test func checksumsAreThoseOfTheDescription() throws {
    var random = SeededGenerator(seed: 3)
    for count in 1..<40 {
      let payload = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(try !outcome(trace(payload, records: 1)).contains("checksum"))
      var damaged = trace(payload, records: 1)
      damaged[damaged.count - 1] ^= 1
      #expect(try outcome(damaged).contains("checksum"))
    }
  }
}

/// The checksum of the format's description, written down a second time.
private enum Checksum {
  static func of(_ bytes: [UInt8], seed: UInt64 = 0x6A09_E667_F3BC_C908) -> UInt64 {
    var words = stride(from: 0, to: bytes.count, by: 8).map { start in
      bytes[start..<min(start + 8, bytes.count)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
    // The last word is one that is not full, be it empty.
    if bytes.count % 8 == 0 { words.append(0) }
    return (words + [UInt64(bytes.count)]).reduce(seed) { state, word in
      let mixed = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
      return mixed << 29 | mixed >> 35
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append32(_ value: UInt32) {
    for shift in 0..<4 { append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
  }
  fileprivate mutating func append64(_ value: UInt64) {
    for shift in 0..<8 { append(UInt8(truncatingIfNeeded: value >> (8 * shift))) }
  }
}

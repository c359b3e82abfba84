// SPDX-License-Identifier: MIT
import Events
import Foundation
import SimMemory
import Workloads

/// Keeps everything that a reader feeds, as comparable text.
struct ListSink: EventSink {
  var lines: [String] = []

  mutating func access(_ kind: AccessKind, _ address: VirtualAddress, size: UInt32) {
    lines.append("\(kind) \(address) \(size)")
  }

  mutating func event(_ event: TraceEvent) { lines.append(describe(event)) }
}

/// A short, complete text for an event.
func describe(_ event: TraceEvent) -> String {
  switch event {
  case .run(let process, let thread): "run \(process)/\(thread)"
  case .start(let process, let isFresh): "start \(process)\(isFresh ? " fresh" : "")"
  case .fork(let child, let kind): "fork \(child) \(kind)"
  case .systemCall(let call):
    "call \(call.number) \(call.arguments.map { String($0, radix: 16) }) "
      + "\(call.strings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }) \(call.answer) \(call.origin)"
  case .refused(let refusal):
    "refused \(refusal.signal) \(refusal.code) \(refusal.address.map { "\($0)" } ?? "?")"
  case .stackGrown(let address, let base): "stack \(address) \(base)"
  case .exec: "exec"
  case .exit: "exit"
  }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "workloads-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file and returns its path.
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(filePath: file))
    return file
  }

  func write(_ name: String, _ text: String) throws -> String { try write(name, text.utf8) }
}

/// All that a trace says.
func events(_ paths: [String]) throws -> [String] {
  var sink = ListSink()
  var input = try TraceInput.open(paths: paths)
  try input.run(into: &sink)
  return sink.lines
}

/// What a text trace of process 7 says, without the frame that every run has.
func body(_ text: String) throws -> [String] {
  let folder = try TemporaryFolder()
  let all = try events([try folder.write("t.7.txt", text)])
  return Array(all.dropFirst(2).dropLast())
}

/// The error that reading `text` ends in, without the folder; nil when there is none.
func failure(_ text: some Sequence<UInt8>) throws -> String? {
  let folder = try TemporaryFolder()
  let file = try folder.write("t.7.txt", text)
  do {
    _ = try events([file])
    return nil
  } catch {
    return "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
  }
}

/// A reproducible source of random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// The path of a real trace.
func fixture(_ name: String) throws -> String {
  guard let folder = Bundle.module.resourceURL else { throw CocoaError(.fileNoSuchFile) }
  return folder.appending(path: "Fixtures/\(name)").path
}

/// The bytes of a real trace.
func fixtureBytes(_ name: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: fixture(name))))
}

// SPDX-License-Identifier: MIT
internal import Events
internal import Foundation
internal import SimMemory
internal import Workloads

/// The accesses of a compact trace's first process as lackey text, for measuring how fast text is read.
struct LackeySample: EventSink {
  typealias Stop = CommandFailure

  private var text = Data()
  private var records = 0
  private let limit: Int
  private var first: UInt32?
  private var isFirst = false

  /// Writes at most `limit` records of the trace at `source` to `path`.
  static func write(_ source: String, to path: String, limit: Int = 2_000_000) throws(CommandFailure) {
    var sample = LackeySample(limit: limit)
    do {
      var input = try TraceInput.open(paths: [source])
      try input.run(into: &sample)
      try sample.text.write(to: URL(fileURLWithPath: path))
    } catch { throw .failed("\(path): the sample could not be written as text: \(error)") }
  }

  private init(limit: Int) { self.limit = limit }

  mutating func access(_ kind: AccessKind, _ address: VirtualAddress, size: UInt32) throws(CommandFailure) {
    guard isFirst, records < limit else { return }
    records += 1
    let mark =
      switch kind {
      case .fetch: "I  "
      case .load: " L "
      case .store: " S "
      }
    let digits = String(address.raw, radix: 16)
    let zeros = String(repeating: "0", count: max(0, 8 - digits.count))
    text.append(contentsOf: "\(mark)\(zeros)\(digits),\(size)\n".utf8)
  }

  mutating func event(_ event: TraceEvent) throws(CommandFailure) {
    guard case .run(let process, _) = event else { return }
    first = first ?? process
    isFirst = process == first
  }
}

// SPDX-License-Identifier: MIT
public import Events

/// Reads a compact trace from a file, a FIFO or standard input.
public struct EmtraceReader {
  @usableFromInline let decoder: EmtraceDecoder
  /// What the whole trace holds; known after `run`.
  public var totals: TraceTotals? { decoder.totals }

  /// Opens `path` and checks its header; `-`: standard input.
  public init(path: String) throws(TraceError) { try self.init(InputFile(path: path)) }

  init(_ input: InputFile) throws(TraceError) {
    decoder = try EmtraceDecoder(input)
    if decoder.isProcessStream {
      throw TraceError(file: input.name, problem: .damaged("it is a part of an unfinished recording"))
    }
  }

  /// Called after each read with the number of new bytes.
  public func onRead(_ body: @escaping @Sendable (Int) -> Void) { decoder.input.onRead = body }

  /// Whether what has been read of `input` begins like a compact trace.
  static func recognises(_ input: InputFile) throws(TraceError) -> Bool {
    while input.end < 4, try input.refill() {}
    return input.bytes(0..<min(input.end, 4)).elementsEqual(EmtraceFormat.magic.prefix(4))
  }

  /// The sums in the last block of a finished file; nil when it is not there, which `run` will report.
  static func totals(path: String, size: UInt64) throws(TraceError) -> TraceTotals? {
    let length = EmtraceFormat.headerSize + TraceTotals.byteCount
    guard size >= UInt64(EmtraceFormat.headerSize + length) else { return nil }
    let input = try InputFile(path: path, capacity: 4096)
    try input.seek(to: size - UInt64(length))
    while try input.refill() {}
    let tail = input.bytes(0..<input.end)
    guard tail.count == length, tail.word(0, bytes: 4) == UInt64(EmtraceFormat.endBlock),
      Checksum.of(tail[32...], seed: Checksum.of(tail[..<24])) == tail.word(24, bytes: 8)
    else { return nil }
    return TraceTotals(words: (0..<6).map { tail.word(32 + $0 * 8, bytes: 8) })
  }

  /// Feeds the whole trace to `sink`.
  @inlinable
  public func run<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) {
    while true {
      switch try decoder.next(into: &sink) {
      case .event(let event):
        do throws(Sink.Stop) { try sink.event(event) } catch { throw .sink(error) }
      case .endOfTrace: return
      default: throw .trace(decoder.error("an event that does not belong here"))
      }
    }
  }
}

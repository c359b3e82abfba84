// SPDX-License-Identifier: MIT

/// Reads the blocks of a compact trace. A block is checked as a whole before anything in it is used.
@usableFromInline final class EmtraceDecoder {
  @usableFromInline let input: InputFile
  private let table = PredictorTable()
  @usableFromInline var predictor: Predictor
  /// End of the block's payload in the buffer.
  @usableFromInline var blockEnd = 0
  /// Accesses that the block still owes.
  @usableFromInline var recordsLeft: UInt64 = 0
  /// The process-stream flag of the file.
  let isProcessStream: Bool
  /// The last block's sums; nil until it has been read.
  private(set) var totals: TraceTotals?
  private var block: UInt64 = 0
  private var blockByte: UInt64 = 0
  private var accesses: UInt64 = 0

  init(_ input: InputFile) throws(TraceError) {
    self.input = input
    let path = input.name
    predictor = Predictor(table)
    while input.end < EmtraceFormat.headerSize, try input.refill() {}
    let header = input.bytes(0..<min(input.end, EmtraceFormat.headerSize))
    guard header.starts(with: EmtraceFormat.magic) else {
      throw TraceError(file: path, problem: .damaged("it does not begin like an .emtrace file"))
    }
    guard header.count == EmtraceFormat.headerSize else {
      throw TraceError(file: path, problem: .truncatedFile)
    }
    guard Checksum.of(header[..<24]) == header.word(24, bytes: 8) else {
      throw TraceError(file: path, problem: .damaged("the header's checksum does not match"))
    }
    let version = UInt32(header.word(8, bytes: 4))
    let flags = UInt32(header.word(12, bytes: 4))
    guard version == EmtraceFormat.version, flags <= 1 else {
      throw TraceError(file: path, problem: .unsupportedVersion(version))
    }
    isProcessStream = flags == EmtraceFormat.processStream
    input.position = EmtraceFormat.headerSize
    blockEnd = input.position
  }

  func place() -> TraceError.Place { .block(block == 0 ? 0 : block - 1, byte: blockByte) }

  @usableFromInline func error(_ what: String) -> TraceError {
    TraceError(file: input.name, place: place(), problem: .damaged(what))
  }

  /// Makes the next block's payload available; false behind the last one.
  @usableFromInline func loadBlock() throws(TraceError) -> Bool {
    if totals != nil { return false }
    input.position = blockEnd
    let headerSize = EmtraceFormat.headerSize
    blockByte = input.bytesRead - UInt64(input.end - input.position)
    block += 1
    try require(headerSize)
    let header = input.bytes(input.position..<input.position + headerSize)
    let marker = UInt32(header.word(0, bytes: 4))
    let length = Int(header.word(4, bytes: 4))
    guard marker == EmtraceFormat.recordBlock || marker == EmtraceFormat.endBlock,
      length <= EmtraceFormat.maximumPayload, header.word(8, bytes: 8) == block - 1
    else { throw error("this is not the block that should stand here") }
    try require(headerSize + length)
    input.position += headerSize
    blockEnd = input.position + length
    let sum = input.checksum(input.position..<blockEnd, seed: Checksum.of(header[..<24]))
    guard sum == header.word(24, bytes: 8) else { throw error("the block's checksum does not match") }
    recordsLeft = header.word(16, bytes: 8)
    accesses &+= recordsLeft
    if marker == EmtraceFormat.endBlock { try end(length) }
    return totals == nil
  }

  private func end(_ length: Int) throws(TraceError) {
    guard length == TraceTotals.byteCount else { throw error("the last block is malformed") }
    let payload = input.bytes(input.position..<blockEnd)
    let totals = TraceTotals(words: (0..<6).map { payload.word($0 * 8, bytes: 8) })
    guard totals.accesses == accesses else { throw error("the sums of the last block do not match") }
    input.position = blockEnd
    var hasMore = input.position < input.end
    if !hasMore { hasMore = try input.refill() }
    guard !hasMore else { throw error("something follows the last block") }
    self.totals = totals
  }

  /// Has `count` bytes in the buffer.
  private func require(_ count: Int) throws(TraceError) {
    while input.end - input.position < count {
      guard try input.refill() else {
        throw TraceError(file: input.name, place: place(), problem: .truncatedFile)
      }
    }
  }

  /// Decodes the event whose bytes are `range` of the buffer.
  @usableFromInline func event(_ range: Range<Int>) throws(TraceError) -> StoredEvent {
    var decoding = EventDecoding(input.bytes(range)[...])
    guard let event = decoding.next(), decoding.position == range.count else {
      throw error("an event makes no sense")
    }
    if case .endOfBlock = event {
      guard recordsLeft == 0, range.upperBound == blockEnd else {
        throw error("the block's sums do not match")
      }
    }
    return event
  }
}

extension Array where Element == UInt8 {
  /// A little-endian number.
  func word(_ start: Int, bytes: Int) -> UInt64 {
    (0..<bytes).reduce(0) { $0 | UInt64(self[start + $1]) &<< UInt64(8 * $1) }
  }
}

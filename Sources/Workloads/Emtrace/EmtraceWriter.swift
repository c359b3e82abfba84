// SPDX-License-Identifier: MIT
public import Events
public import SimMemory

/// Writes a run, in the order in which it receives it, as a compact trace. Call `finish` at the end: a trace
/// without its last block is refused by the reader.
public struct EmtraceWriter: EventSink {
  /// Writing can fail.
  public typealias Stop = TraceError
  private let output: OutputFile
  private var encoder = EmtraceEncoder()
  private var block: UInt64 = 0
  /// What has been written.
  public private(set) var totals = TraceTotals()
  private var processes: Set<UInt32> = []

  /// Creates the file at `path`, or replaces it.
  public init(path: String) throws(TraceError) { try self.init(path: path, flags: 0) }

  init(path: String, flags: UInt32) throws(TraceError) {
    output = try OutputFile(path: path)
    var header = EmtraceFormat.magic
    header.append32(EmtraceFormat.version)
    header.append32(flags)
    header.append64(0)
    header.append64(Checksum.of(header))
    try output.write(header)
  }

  /// Bytes written so far; complete after `finish`.
  public var bytesWritten: UInt64 { output.bytesWritten }

  /// Writes one access.
  public mutating func access(_ kind: AccessKind, _ address: VirtualAddress, size: UInt32) throws(TraceError)
  {
    guard size &- 1 < 4096, !address.raw.addingReportingOverflow(UInt64(size - 1)).overflow else {
      throw TraceError(file: output.path, problem: .badSize("\(kind) \(address),\(size)"))
    }
    switch kind {
    case .fetch: totals.fetches += 1
    case .load: totals.loads += 1
    case .store: totals.stores += 1
    }
    encoder.access(kind.rawValue, address.raw, size: UInt16(size))
    if encoder.isFull { try flush() }
  }

  /// Writes one event.
  public mutating func event(_ event: TraceEvent) throws(TraceError) {
    if case .run(let process, _) = event { processes.insert(process) }
    try store(EventEncoding.bytes(event))
  }

  /// Writes one item of a process stream.
  mutating func item(_ item: ProcessItem) throws(TraceError) {
    if case .access(let kind, let address, let size) = item { return try access(kind, address, size: size) }
    if let bytes = EventEncoding.bytes(item) { try store(bytes) }
  }

  mutating func store(_ bytes: [UInt8]) throws(TraceError) {
    guard bytes.count <= EmtraceFormat.maximumEvent else {
      throw TraceError(
        file: output.path, problem: .recordingFailed("a system call with \(bytes.count) bytes of text"))
    }
    totals.events += 1
    encoder.event(bytes)
    if encoder.isFull { try flush() }
  }

  /// Writes what is left and the closing block. `untracedChildren`: what the order of the run brought to
  /// light.
  public mutating func finish(untracedChildren: Int = 0) throws(TraceError) {
    try flush()
    totals.processes = UInt64(processes.count)
    totals.untracedChildren = UInt64(untracedChildren)
    var payload: [UInt8] = []
    for word in totals.words { payload.append64(word) }
    try write(EmtraceFormat.endBlock, payload, records: 0)
    try output.close()
  }

  private mutating func flush() throws(TraceError) {
    let (payload, records) = encoder.finishBlock()
    if payload.count > 3 || records > 0 { try write(EmtraceFormat.recordBlock, payload, records: records) }
  }

  private mutating func write(_ marker: UInt32, _ payload: [UInt8], records: UInt64) throws(TraceError) {
    var header: [UInt8] = []
    header.append32(marker)
    header.append32(UInt32(payload.count))
    header.append64(block)
    header.append64(records)
    header.append64(Checksum.of(payload, seed: Checksum.of(header)))
    try output.write(header)
    try output.write(payload)
    block += 1
  }
}

// SPDX-License-Identifier: MIT
public import Events

/// The trace of one process as a file of a run: opened when the process begins, closed when it ends.
public final class LackeyFile: ProcessSource {
  /// Where the file is; `-`: standard input.
  public let path: String
  /// The process's number.
  public let process: UInt32
  /// The process that started it, where the file says so.
  public let parent: UInt32?
  private var reader: LackeyReader?
  private var endPlace: TraceError.Place = .whole
  private let onRead: @Sendable (Int) -> Void

  /// Looks at the head of `path`. A FIFO or standard input cannot be reopened and is kept open from here on.
  init(path: String, onRead: @escaping @Sendable (Int) -> Void) throws(TraceError) {
    self.path = path
    self.onRead = onRead
    let named = TraceName(path: path)
    let isRegular = path != "-" && FileKind(path: path) == .regular
    let reader = try LackeyReader(path: path, process: named.process ?? 0, capacity: isRegular ? 8192 : 1 << 20)
    process = reader.process
    parent = reader.parentProcess()
    if !isRegular { self.reader = reader }
  }

  /// The file, and the line read last.
  public func place() -> (file: String, place: TraceError.Place) { reader?.place() ?? (path, endPlace) }

  /// Reads up to the first record.
  public func opening() throws(TraceError) -> ProcessOpening {
    let reader = if let open = self.reader { open } else { try LackeyReader(path: path, process: process) }
    reader.onRead(onRead)
    self.reader = reader
    return try reader.opening()
  }

  /// Feeds accesses to `sink` until something else comes up.
  @inlinable
  public func next<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) -> ProcessItem {
    guard let reader = current() else { return .end(isComplete: true) }
    let item = try reader.next(into: &sink)
    if case .end = item { close() }
    return item
  }

  @usableFromInline func current() -> LackeyReader? { reader }
  @usableFromInline func close() {
    endPlace = place().place
    reader = nil
  }
}

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

  /// Looks at the head of a regular file, to be opened again when the process begins.
  init(path: String, onRead: @escaping @Sendable (Int) -> Void) throws(TraceError) {
    let head = try InputFile(path: path, capacity: 8192)
    let reader = try LackeyReader(head, process: TraceName(path: path).process ?? 0)
    self.path = path
    self.onRead = onRead
    (process, parent) = (reader.process, reader.parentProcess())
  }

  /// Takes a FIFO or standard input, which cannot be opened twice.
  init(_ input: InputFile, onRead: @escaping @Sendable (Int) -> Void) throws(TraceError) {
    let reader = try LackeyReader(input, process: TraceName(path: input.name).process ?? 0)
    path = input.name
    self.onRead = onRead
    (process, parent) = (reader.process, reader.parentProcess())
    self.reader = reader
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

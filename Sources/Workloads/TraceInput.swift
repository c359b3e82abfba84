// SPDX-License-Identifier: MIT
public import Events

/// One run to replay: a compact trace, or the lackey files of all its processes.
public struct TraceInput {
  /// The name of the run: `brk01` for `brk01.6459.txt`, `sample` for `sample.emtrace`.
  public let name: String
  /// The files read, in the order given.
  public let paths: [String]
  /// Processes that have a trace of their own; nil: known only after the run (a compact trace from a pipe).
  public private(set) var processCount: Int?
  /// Bytes to read; nil when a FIFO or standard input is among the files.
  public let totalBytes: UInt64?
  /// Children that the run made and that no file describes; known after `run`.
  public private(set) var untracedChildren = 0
  @usableFromInline let format: Format
  let progress: ProgressMeter

  /// The two kinds of trace.
  @usableFromInline enum Format {
    case lackey([LackeyFile])
    case emtrace(EmtraceReader)
  }

  /// Called at most once every 4 MiB with the bytes read so far.
  public func onProgress(_ body: @escaping @Sendable (UInt64) -> Void) { progress.set(body) }

  /// Opens traces: one `.emtrace` file, one or more lackey files of one run, a folder of them, or `-`.
  public static func open(paths: [String]) throws(TraceError) -> TraceInput {
    var files: [String] = []
    for path in paths { files += try expand(path) }
    guard let first = files.first else { throw TraceError(file: paths.first ?? "-", problem: .noTrace) }
    let looks = files.map { FileKind.look($0) }
    let progress = ProgressMeter()
    var sources: [LackeyFile] = []
    for (file, look) in zip(files, looks) {
      let isRegular = file != "-" && look.kind == .regular
      let input = try InputFile(path: file, capacity: isRegular ? 8192 : 1 << 20)
      if try EmtraceReader.recognises(input) {
        guard files.count == 1 else { throw TraceError(file: file, problem: .mixedTraces) }
        return try compact(isRegular ? InputFile(path: file) : input, isRegular ? look.size : nil, progress)
      }
      let onRead: @Sendable (Int) -> Void = { progress.add($0) }
      sources.append(
        try isRegular ? LackeyFile(path: file, onRead: onRead) : LackeyFile(input, onRead: onRead))
    }
    var seen: Set<UInt32> = []
    for source in sources where !seen.insert(source.process).inserted {
      throw TraceError(file: source.path, problem: .duplicateProcess(source.process))
    }
    let isSized = !files.contains("-") && looks.allSatisfy { $0.kind == .regular }
    return TraceInput(
      name: TraceName(path: first).name, paths: files, processCount: sources.count,
      totalBytes: isSized ? looks.reduce(0) { $0 + $1.size } : nil, format: .lackey(sources),
      progress: progress)
  }

  /// A compact trace; `size` nil: not a regular file.
  private static func compact(
    _ input: InputFile, _ size: UInt64?, _ progress: ProgressMeter
  ) throws(TraceError) -> TraceInput {
    let reader = try EmtraceReader(input)
    reader.onRead { progress.add($0) }
    let totals: TraceTotals? =
      if let size { try EmtraceReader.totals(path: input.name, size: size) } else { nil }
    return TraceInput(
      name: TraceName(path: input.name).name, paths: [input.name],
      processCount: totals.map { Int(clamping: $0.processes) }, totalBytes: size, format: .emtrace(reader),
      progress: progress)
  }

  /// The files behind a path: a folder stands for its traces.
  private static func expand(_ path: String) throws(TraceError) -> [String] {
    guard path != "-", FileKind(path: path) == .folder else { return [path] }
    guard let names = FileKind.names(in: path) else {
      throw TraceError(file: path, problem: .cannot("list it", reason: lastErrorText()))
    }
    let traces = names.filter { $0.hasSuffix(".txt") && TraceName(path: $0).process != nil }
    guard !traces.isEmpty else { throw TraceError(file: path, problem: .noTrace) }
    return traces.map { path + (path.hasSuffix("/") ? "" : "/") + $0 }
  }

  /// Feeds the whole run to `sink`, in the order that `Docs/TraceFormat.md` describes. A trace can be run
  /// once.
  @inlinable
  public mutating func run<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) {
    switch format {
    case .lackey(let files):
      let scheduler = scheduler(of: files)
      defer { noteUntraced(scheduler.untracedChildren) }
      try scheduler.run(into: &sink)
    case .emtrace(let reader):
      try reader.run(into: &sink)
      noteTotals(reader.totals)
    }
  }

  @usableFromInline func scheduler(of files: [LackeyFile]) -> Scheduler<LackeyFile> {
    var parents: [UInt32: UInt32] = [:]
    for file in files { parents[file.process] = file.parent }
    return Scheduler(files, parents: parents)
  }

  @usableFromInline mutating func noteTotals(_ totals: TraceTotals?) {
    processCount = totals.map { Int(clamping: $0.processes) } ?? processCount
    untracedChildren = totals.map { Int(clamping: $0.untracedChildren) } ?? 0
  }

  @usableFromInline mutating func noteUntraced(_ count: Int) { untracedChildren = count }
}

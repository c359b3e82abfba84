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
  }

  /// Called at most once every 4 MiB with the bytes read so far.
  public func onProgress(_ body: @escaping @Sendable (UInt64) -> Void) { progress.set(body) }

  /// Opens traces: one `.emtrace` file, one or more lackey files of one run, a folder of them, or `-`.
  public static func open(paths: [String]) throws(TraceError) -> TraceInput {
    var files: [String] = []
    for path in paths { files += try expand(path) }
    guard let first = files.first else { throw TraceError(file: paths.first ?? "-", problem: .noTrace) }
    let progress = ProgressMeter()
    var sources: [LackeyFile] = []
    for file in files { sources.append(try LackeyFile(path: file) { progress.add($0) }) }
    var seen: Set<UInt32> = []
    for source in sources where !seen.insert(source.process).inserted {
      throw TraceError(file: source.path, problem: .duplicateProcess(source.process))
    }
    let looks = files.map { FileKind.look($0) }
    let isSized = !files.contains("-") && looks.allSatisfy { $0.kind == .regular }
    return TraceInput(
      name: TraceName(path: first).name, paths: files, processCount: sources.count,
      totalBytes: isSized ? looks.reduce(0) { $0 + $1.size } : nil, format: .lackey(sources), progress: progress)
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

  /// Feeds the whole run to `sink`, in the order that `Docs/TraceFormat.md` describes. A trace can be run once.
  @inlinable
  public mutating func run<Sink: EventSink>(into sink: inout Sink) throws(FeedFailure<Sink.Stop>) {
    switch format {
    case .lackey(let files):
      let scheduler = scheduler(of: files)
      defer { noteUntraced(scheduler.untracedChildren) }
      try scheduler.run(into: &sink)
    }
  }

  @usableFromInline func scheduler(of files: [LackeyFile]) -> Scheduler<LackeyFile> {
    var parents: [UInt32: UInt32] = [:]
    for file in files { parents[file.process] = file.parent }
    return Scheduler(files, parents: parents)
  }

  @usableFromInline mutating func noteUntraced(_ count: Int) { untracedChildren = count }
}

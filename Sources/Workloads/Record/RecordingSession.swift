// SPDX-License-Identifier: MIT
import Events

/// All processes of a recording in progress.
struct RecordingSession {
  let folder: RecordingFolder
  private var recordings: [UInt32: ProcessRecording] = [:]
  private var logCount = 0

  init(folder: RecordingFolder) { self.folder = folder }

  /// Every process seen has ended and its stream is complete.
  var isFinished: Bool { recordings.values.allSatisfy(\.isFinished) }
  /// No process left a record.
  var isEmpty: Bool { recordings.values.allSatisfy(\.isEmpty) }

  /// Looks for new logs and uses what all logs hold. Returns how many bytes that was.
  mutating func advance() throws(TraceError) -> UInt64 {
    // A process is looked at before the folder: what is gone now has left all its logs there.
    let gone = recordings.filter { !$0.value.isFinished && !TracedProgram.isRunning($0.key) }.map(\.key)
    try takeLogs()
    var moved: UInt64 = 0
    for (process, recording) in recordings where !recording.isFinished {
      moved += try recording.advance(isOver: gone.contains(process))
    }
    return moved
  }

  /// Renames new logs at once: a process that executes another program would empty its log otherwise.
  private mutating func takeLogs() throws(TraceError) {
    for name in FileKind.names(in: folder.path) ?? [] where name.hasSuffix(".log") {
      guard let process = UInt32(name.dropLast(4)) else { continue }
      logCount += 1
      let taken = "\(process).\(logCount).taken"
      folder.rename(name, to: taken)
      if let recording = recordings[process], !recording.isFinished {
        recording.add(log: taken)
      } else {
        let recording = try ProcessRecording(process: process, folder: folder)
        recording.add(log: taken)
        recordings[process] = recording
      }
    }
  }

  /// Puts the streams in order and moves the result into place.
  func stitch(into output: String, status: Int32) throws(TraceError) -> Recorder.Result {
    let kept = recordings.values.filter { !$0.isEmpty }.sorted { $0.process < $1.process }
    var parents: [UInt32: UInt32] = [:]
    for recording in kept { parents[recording.process] = recording.parent }
    let sources = kept.map { EmtraceProcess(path: folder.path + "/" + $0.stream, process: $0.process) }
    let scheduler = Scheduler(sources, parents: parents)
    let isPlain = [.regular, .missing].contains(FileKind(path: output))
    var writer = try EmtraceWriter(path: isPlain ? folder.path + "/result" : output)
    do throws(FeedFailure<TraceError>) {
      try scheduler.run(into: &writer)
    } catch {
      switch error {
      case .trace(let error), .sink(let error): throw error
      }
    }
    try writer.finish(untracedChildren: scheduler.untracedChildren)
    if isPlain { try folder.move("result", to: output) }
    return Recorder.Result(
      status: status, totals: writer.totals, textBytes: kept.reduce(0) { $0 + $1.textBytes },
      traceBytes: writer.bytesWritten)
  }
}

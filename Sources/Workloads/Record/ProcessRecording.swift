// SPDX-License-Identifier: MIT
import Events

/// Follows the log of one process while valgrind writes it and keeps a compact stream instead.
final class ProcessRecording {
  let process: UInt32
  /// The process that started it, where the log says so.
  private(set) var parent: UInt32?
  /// The compact stream, a file of the folder.
  let stream: String
  private let folder: RecordingFolder
  private var writer: EmtraceWriter
  /// Logs of the process, the oldest first: one, and one more for each image that it executed.
  private var logs: [String] = []
  private var reader: LackeyReader?
  private var hasOpening = false
  private var unreleased: UInt64 = 0
  /// The stream is complete.
  private(set) var isFinished = false
  /// Text read, in bytes.
  private(set) var textBytes: UInt64 = 0

  init(process: UInt32, folder: RecordingFolder) throws(TraceError) {
    self.process = process
    self.folder = folder
    stream = "\(process).stream"
    writer = try EmtraceWriter(path: folder.path + "/" + stream, flags: EmtraceFormat.processStream)
  }

  /// Whether the stream holds anything.
  var isEmpty: Bool { !hasOpening }

  func add(log: String) { logs.append(log) }

  /// Uses what the logs hold by now. `isOver`: the process has ended. Returns how many bytes that was.
  func advance(isOver: Bool) throws(TraceError) -> UInt64 {
    var moved: UInt64 = 0
    while !isFinished {
      guard let reader = try current() else { return moved }
      reader.input.isGrowing = !isOver && logs.count == 1
      let before = reader.input.bytesRead
      let isDone = try drain(reader)
      let fresh = reader.input.bytesRead - before
      textBytes += fresh
      unreleased += fresh
      moved += fresh
      if unreleased >= 8 << 20 {
        reader.input.releaseUsed()
        unreleased = 0
      }
      if !isDone { return moved }
      folder.remove(logs.removeFirst())
      self.reader = nil
      if logs.isEmpty { try finish() }
    }
    return moved
  }

  private func current() throws(TraceError) -> LackeyReader? {
    if let reader { return reader }
    guard let log = logs.first else { return nil }
    let input = try InputFile(path: folder.path + "/" + log, isWritable: true)
    input.isGrowing = true
    let reader = LackeyReader(growing: input, process: process)
    self.reader = reader
    return reader
  }

  /// Copies until the log has no more; true at its end.
  private func drain(_ reader: LackeyReader) throws(TraceError) -> Bool {
    do {
      guard let opening = try reader.openingSoFar() else { return false }
      if !reader.isOpeningKept {
        reader.isOpeningKept = true
        if !hasOpening { try writer.store(EventEncoding.bytes(opening)) } else { try writer.item(.exec) }
        hasOpening = true
      }
      while true {
        let item = try reader.next(into: &writer)
        if parent == nil { parent = reader.parent }
        switch item {
        case .starved: return false
        case .end:
          if logs.count == 1 { try writer.item(item) }
          return true
        default: try writer.item(item)
        }
      }
    } catch let error as TraceError where error.problem == .empty {
      return true
    } catch let error as FeedFailure<TraceError> {
      switch error {
      case .trace(let error), .sink(let error): throw error
      }
    } catch let error as TraceError {
      throw error
    } catch {
      throw TraceError(file: stream, problem: .recordingFailed("\(error)"))
    }
  }

  private func finish() throws(TraceError) {
    try writer.finish()
    isFinished = true
  }
}

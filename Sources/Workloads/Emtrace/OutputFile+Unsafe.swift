// SPDX-License-Identifier: MIT
import Glibc

/// A file written from its beginning to its end.
final class OutputFile {
  let path: String
  private var descriptor: Int32
  private(set) var bytesWritten: UInt64 = 0

  /// Creates `path`, or empties it; `-`: standard output.
  init(path: String) throws(TraceError) {
    self.path = path
    descriptor = path == "-" ? 1 : unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw TraceError(file: path, problem: .cannot("create it", reason: lastErrorText())) }
  }

  deinit { if descriptor > 1 { _ = Glibc.close(descriptor) } }

  func write(_ bytes: [UInt8]) throws(TraceError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + done }, bytes.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        throw TraceError(file: path, problem: .cannot("write it", reason: lastErrorText()))
      }
      done += count
    }
    bytesWritten += UInt64(bytes.count)
  }

  func close() throws(TraceError) {
    guard descriptor > 1 else { return }
    let result = Glibc.close(descriptor)
    descriptor = -1
    if result != 0 { throw TraceError(file: path, problem: .cannot("close it", reason: lastErrorText())) }
  }
}

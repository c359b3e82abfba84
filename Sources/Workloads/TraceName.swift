// SPDX-License-Identifier: MIT

/// What the name of a trace file says: `NAME.PID.txt`, `NAME.emtrace`.
struct TraceName: Equatable {
  /// The run's name.
  let name: String
  /// The process's number, where the name has one.
  let process: UInt32?

  init(path: String) {
    guard path != "-" else {
      self.name = "stdin"
      process = nil
      return
    }
    let last = path.split(separator: "/").last.map(String.init) ?? path
    var parts = last.split(separator: ".", omittingEmptySubsequences: false)
    if parts.count > 1, ["txt", "emtrace", "log", "trace"].contains(parts[parts.count - 1]) {
      parts.removeLast()
    }
    if parts.count > 1, let number = UInt32(parts[parts.count - 1]) {
      process = number
      parts.removeLast()
    } else {
      process = nil
    }
    name = parts.joined(separator: ".")
  }
}

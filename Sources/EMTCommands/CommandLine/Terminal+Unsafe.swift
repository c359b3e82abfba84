// SPDX-License-Identifier: MIT
internal import Foundation
internal import Glibc

/// Standard output and standard error.
enum Terminal {
  /// Whether standard output is a terminal.
  static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }
  /// Whether standard error is a terminal.
  static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }
  /// Whether to use colours: only on terminals, and not when `NO_COLOR` is set.
  static var usesColor: Bool {
    isInteractive && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
  }

  /// Writes one line to standard output. A reader that went away ends the program quietly.
  static func print(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

  /// Writes one line to standard error.
  static func complain(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

  /// Replaces the progress line on standard error; an empty one clears it.
  static func progress(_ line: String) {
    guard showsProgress else { return }
    write("\r\u{1B}[K" + line, to: STDERR_FILENO)
  }

  /// Bold text, where that is possible.
  static func bold(_ text: String) -> String { usesColor ? "\u{1B}[1m" + text + "\u{1B}[0m" : text }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      // SAFETY: the buffer is valid for the call.
      let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        exit(descriptor == STDOUT_FILENO && errno != EPIPE ? 1 : 0)
      }
      bytes = bytes.dropFirst(written)
    }
  }
}

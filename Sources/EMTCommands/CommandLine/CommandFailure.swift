// SPDX-License-Identifier: MIT

/// Why a command ended without success: one line for standard error, and the exit status.
public struct CommandFailure: Error, Sendable, Equatable {
  /// What went wrong, where, and what to do.
  public var message: String
  /// 2 for wrong usage and bad input, 1 when the run itself failed.
  public var status: Int32

  /// Wrong usage or bad input.
  public static func usage(_ message: String) -> CommandFailure {
    CommandFailure(message: message, status: 2)
  }

  /// The run itself failed.
  public static func failed(_ message: String) -> CommandFailure {
    CommandFailure(message: message, status: 1)
  }
}

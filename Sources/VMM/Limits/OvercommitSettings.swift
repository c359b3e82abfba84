// SPDX-License-Identifier: MIT

/// How much memory may be promised to programs (Linux: `vm.overcommit_memory` and its relatives).
public struct OvercommitSettings: Sendable, Equatable {
  /// What is refused.
  public enum Mode: UInt8, Sendable, CaseIterable {
    /// Single requests that can never be fulfilled: larger than memory and swap together.
    case guess = 0
    /// Nothing.
    case always = 1
    /// Everything above a fixed limit for all processes.
    case never = 2
  }
  /// What is refused. Linux begins with `guess`; simulated memories are often made too small on purpose, so that nothing
  /// is refused here until it is asked for.
  public var mode = Mode.always
  /// Percent of memory that may be promised besides all of swap, in mode `never`.
  public var ratio: UInt64 = 50
  /// Pages that may be promised besides all of swap, in place of `ratio`.
  public var pages: UInt64?
  /// Pages of the limit that are kept for administrators: 8 MiB.
  public var keptForAdministrators: UInt64 = 2048
  /// Pages of the limit that a process leaves to others, as far as 1/32 of what it maps is not less: 128 MiB.
  public var keptFromProcess: UInt64 = 32_768

  /// Linux's numbers, and nothing refused.
  public init() {}
}

// SPDX-License-Identifier: MIT

/// What a program does with an address.
@frozen public enum AccessKind: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Instruction fetch.
  case fetch
  /// Data read.
  case load
  /// Data write.
  case store
}

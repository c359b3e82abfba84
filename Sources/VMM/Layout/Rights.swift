// SPDX-License-Identifier: MIT
public import SimMemory

/// What a program asked to be allowed: PROT_READ, PROT_WRITE, PROT_EXEC.
@frozen public struct Rights: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// Linux's PROT_* bits.
  public let rawValue: UInt8
  /// Wraps PROT_* bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Loads.
  @inlinable public static var read: Rights { Rights(rawValue: 1) }
  /// Stores.
  @inlinable public static var write: Rights { Rights(rawValue: 2) }
  /// Instruction fetches.
  @inlinable public static var execute: Rights { Rights(rawValue: 4) }

  /// Whether an access of `kind` is allowed. As on x86-64, any right implies loads.
  @inlinable public func allow(_ kind: AccessKind) -> Bool {
    switch kind {
    case .load: !isEmpty
    case .store: contains(.write)
    case .fetch: contains(.execute)
    }
  }
}

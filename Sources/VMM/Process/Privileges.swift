// SPDX-License-Identifier: MIT

/// What a process may do beyond what its user may: the part of Linux's capabilities that memory calls ask for.
public struct Privileges: OptionSet, Sendable, Hashable {
  /// The bits; they have no meaning outside.
  public let rawValue: UInt8
  /// Wraps bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Reaching the memory of other users' processes (CAP_SYS_PTRACE).
  public static var trace: Self { Self(rawValue: 1) }
  /// Changing how other processes run (CAP_SYS_NICE).
  public static var schedule: Self { Self(rawValue: 2) }
  /// Locking memory whatever the limit says (CAP_IPC_LOCK).
  public static var lockMemory: Self { Self(rawValue: 4) }
  /// Raising limits (CAP_SYS_RESOURCE).
  public static var raiseLimits: Self { Self(rawValue: 8) }
  /// Administration (CAP_SYS_ADMIN).
  public static var administer: Self { Self(rawValue: 16) }

  /// All but `lockMemory`, so that a limit on locked memory counts as soon as somebody sets one.
  public static var standard: Self { [.trace, .schedule, .raiseLimits, .administer] }
}

extension Process {
  /// Whether the process may reach the memory of `other` (Linux: `ptrace_may_access`).
  @usableFromInline func mayReach(_ other: Process) -> Bool {
    other === self || other.space === space || user == other.user || privileges.contains(.trace)
  }
}

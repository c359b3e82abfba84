// SPDX-License-Identifier: MIT
public import SimMemory

/// Why the hardware refuses an access.
@frozen public enum FaultReason: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// No entry that is present; also an address that is not canonical.
  case notMapped
  /// User mode in a supervisor page.
  case notUser
  /// A store to a read-only page.
  case notWritable
  /// A fetch from a page without execute permission.
  case notExecutable
  /// An entry with reserved bits set, or one that points outside physical memory.
  case malformed
}

/// A page fault: a value that goes to whoever asked for the translation.
@frozen public struct TranslationFault: Hashable, Sendable, BitwiseCopyable {
  /// Why.
  public let reason: FaultReason
  /// What was tried.
  public let access: AccessKind
  /// Whether user mode tried it.
  public let isUser: Bool

  /// Describes a fault.
  @inlinable public init(_ reason: FaultReason, _ access: AccessKind, isUser: Bool) {
    self.reason = reason
    self.access = access
    self.isUser = isUser
  }

  /// The error code that x86 pushes (Intel SDM vol. 3A §4.7): P, W/R, U/S, RSVD and I/D in bits 0 to 4.
  @inlinable public var errorCode: UInt64 {
    (reason == .notMapped ? 0 : 1) | (access == .store ? 2 : 0) | (isUser ? 4 : 0)
      | (reason == .malformed ? 8 : 0) | (access == .fetch ? 16 : 0)
  }
}

/// What the hardware answers to an access.
@frozen public enum MMUResult: Hashable, Sendable, BitwiseCopyable {
  /// The physical address of the byte.
  case physical(PhysicalAddress)
  /// The access did not happen.
  case fault(TranslationFault)
}

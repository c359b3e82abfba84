// SPDX-License-Identifier: MIT

/// How a page fault ended.
@frozen public enum FaultOutcome: Sendable, Equatable, BitwiseCopyable {
  /// The access can be repeated.
  case resolved(FaultKind)
  /// The access is not allowed.
  case refused(FaultRefusal)
  /// A monitor has to provide the page first (userfaultfd): the access is to be repeated when it has.
  case waits(UserfaultReason)
  /// There was no memory for the page or its table; nothing changed.
  case outOfMemory
}

/// What a resolved fault had to do.
@frozen public enum FaultKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// The page came from memory: zeroed, or from the page cache; or only rights had to be set.
  case minor
  /// The page's contents had to come from storage.
  case major
  /// A shared page was written: the process got one of its own, or became the only owner.
  case copyOnWrite
  /// A huge page was mapped.
  case huge
}

/// Why an access is not allowed: the signal that a program gets, with its `si_code`.
@frozen public enum FaultRefusal: UInt8, Sendable, BitwiseCopyable {
  /// SIGSEGV, code 1: nothing is mapped there.
  case notMapped
  /// SIGSEGV, code 2: the mapping does not allow it.
  case notAllowed
  /// SIGSEGV, code 4: the protection key does not allow it.
  case keyForbids
  /// SIGBUS, code 2: the page of a file mapping lies behind the end of the file.
  case beyondEndOfFile
  /// SIGBUS, code 4: the page's contents are lost.
  case poisoned
  /// SIGBUS, code 2: the pool of huge pages has none that was not promised to others.
  case noHugePage
  /// SIGSEGV, code 128 (SI_KERNEL): no address of the architecture at all.
  case notCanonical

  /// `si_code`.
  public var code: UInt32 {
    switch self {
    case .notMapped: 1
    case .notAllowed, .beyondEndOfFile, .noHugePage: 2
    case .keyForbids, .poisoned: 4
    case .notCanonical: 128
    }
  }
  /// Whether the signal is SIGBUS.
  public var isBusError: Bool { self == .beyondEndOfFile || self == .noHugePage || self == .poisoned }
}

/// How many faults there were, by how they ended.
@frozen public struct FaultCounts: Sendable, Equatable {
  /// Resolved without storage or copying.
  public var minor: UInt64 = 0
  /// Resolved with contents from storage.
  public var major: UInt64 = 0
  /// Resolved by copy-on-write.
  public var copyOnWrite: UInt64 = 0
  /// Resolved with a huge page.
  public var huge: UInt64 = 0
  /// Refused.
  public var refused: UInt64 = 0

  /// None yet.
  @inlinable public init() {}

  /// Counts one resolved fault.
  @inlinable public mutating func count(_ kind: FaultKind) {
    switch kind {
    case .minor: minor &+= 1
    case .major: major &+= 1
    case .copyOnWrite: copyOnWrite &+= 1
    case .huge: huge &+= 1
    }
  }
}

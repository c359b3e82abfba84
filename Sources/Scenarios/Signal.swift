// SPDX-License-Identifier: MIT
public import VMM

/// The signal that a program is expected to get for an access.
public enum Signal: Sendable, Equatable {
  /// SIGSEGV for any reason.
  case segv
  /// SIGBUS for any reason.
  case bus
  /// SIGSEGV, SEGV_MAPERR: nothing is mapped there.
  case unmapped
  /// SIGSEGV, SEGV_ACCERR: the mapping does not allow it.
  case forbidden
  /// SIGSEGV, SEGV_PKUERR: the protection key does not allow it.
  case keyForbids
  /// SIGBUS, BUS_ADRERR: the page lies behind the end of the file.
  case beyondEnd
  /// SIGBUS, BUS_ADRERR: the pool of huge pages has none left.
  case noHugePage
  /// SIGBUS, BUS_MCEERR_AR: the contents are lost.
  case poisoned

  /// Whether a refusal is this signal.
  public func covers(_ refusal: FaultRefusal) -> Bool {
    switch self {
    case .segv: !refusal.isBusError
    case .bus: refusal.isBusError
    case .unmapped: refusal == .notMapped
    case .forbidden: refusal == .notAllowed
    case .keyForbids: refusal == .keyForbids
    case .beyondEnd: refusal == .beyondEndOfFile
    case .noHugePage: refusal == .noHugePage
    case .poisoned: refusal == .poisoned
    }
  }

  /// Name and code.
  public var text: String {
    switch self {
    case .segv: "SIGSEGV"
    case .bus: "SIGBUS"
    case .unmapped: "SIGSEGV (nothing is mapped there)"
    case .forbidden: "SIGSEGV (not allowed)"
    case .keyForbids: "SIGSEGV (the protection key forbids it)"
    case .beyondEnd: "SIGBUS (behind the end of the file)"
    case .noHugePage: "SIGBUS (no huge page)"
    case .poisoned: "SIGBUS (the contents are lost)"
    }
  }
}

extension Access {
  /// In words.
  var text: String {
    switch self {
    case .byte(let value): "\(value)"
    case .refused(let refusal): "\(refusal.isBusError ? "SIGBUS" : "SIGSEGV") (\(refusal))"
    case .outOfMemory: "out of memory"
    case .waits(let reason): "waits for a monitor (\(reason))"
    case .endless: "faults again and again"
    }
  }
}

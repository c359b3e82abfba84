// SPDX-License-Identifier: MIT
public import SimMemory

/// Why a database refused an operation. The database is unchanged then.
@frozen public enum TranslationError: Error, Equatable, Sendable {
  /// No frame was left for the table.
  case outOfMemory
  /// There is nothing to remove or change.
  case notMapped
  /// The page would overlap a mapped one of another size, which starts at `existing`.
  case sizeConflict(existing: VirtualAddress, size: PageSize)
  /// The driver has no pages of this size.
  case unsupportedSize(PageSize)
  /// The address is not one that the scheme can translate.
  case badAddress(VirtualAddress)
  /// The caller's own step (copying contents) refused.
  case refusedByCaller
}

/// A range operation that stopped: everything before `firstNotDone` is done, nothing from there on was touched.
@frozen public struct RangeFailure: Error, Equatable, Sendable {
  /// Where to go on, or what to report.
  public let firstNotDone: VirtualAddress
  /// What stopped it.
  public let reason: TranslationError

  /// Describes a stop.
  @inlinable public init(firstNotDone: VirtualAddress, reason: TranslationError) {
    self.firstNotDone = firstNotDone
    self.reason = reason
  }
}

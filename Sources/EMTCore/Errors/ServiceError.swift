// SPDX-License-Identifier: MIT

/// Why a translation service refused an operation. Nothing changed then.
public enum ServiceError: Error, Equatable, Sendable {
  /// No memory for the tables or the context.
  case outOfMemory
  /// A CPU still runs on the database.
  case inUse(cpus: UInt64)
  /// An option that the driver does not have, or a value that it cannot use.
  case badOption(name: String, reason: String)
  /// There is no such CPU.
  case noSuchCPU(Int)
}

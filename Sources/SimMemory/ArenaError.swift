// SPDX-License-Identifier: MIT

/// Why simulated physical memory could not be made.
public enum ArenaError: Error, Sendable, Equatable {
  /// A size of zero, not a multiple of 2 MiB, or above `PhysicalMemory.maximumBytes`.
  case badSize(bytes: UInt64)
  /// The host refused to reserve the address range; under valgrind nothing above about 32 GiB can be had.
  case hostRefused(bytes: UInt64, errno: Int32)
  /// More NUMA nodes than 2 MiB blocks, or more than 64.
  case badNodeCount(Int)
}

extension ArenaError: CustomStringConvertible {
  /// One line that says what to do.
  public var description: String {
    switch self {
    case .badSize(let bytes):
      "simulated memory of \(bytes) bytes: use a multiple of 2 MiB, at most 4 TiB"
    case .hostRefused(let bytes, let code):
      "the host refused to reserve \(bytes >> 20) MiB for simulated memory (errno \(code)); "
        + "use a smaller --memory (at most 32 GiB under valgrind, and overcommit must not be off)"
    case .badNodeCount(let count):
      "\(count) NUMA nodes: use 1 to 64, each at least 2 MiB"
    }
  }
}

// SPDX-License-Identifier: MIT

/// Moving pages to the nodes where they are used (Linux: `kernel.numa_balancing`).
public struct BalancingSettings: Sendable, Equatable {
  /// Whether it is done; off by default.
  public var isOn = false
  /// Base pages that one pass marks at most (Linux: 256 MiB, `scan_size_mb`).
  public var pagesPerPass: UInt64 = 65_536

  /// Off.
  public init() {}
}

// SPDX-License-Identifier: MIT

/// How much simulated memory there is and how it is spread over NUMA nodes.
public struct MemoryGeometry: Sendable, Equatable {
  /// Bytes of physical memory, a multiple of 2 MiB.
  public var bytes: UInt64
  /// NUMA nodes; each owns an equal, contiguous part.
  public var nodes: Int

  /// A memory of `bytes` on `nodes` nodes.
  public init(bytes: UInt64, nodes: Int = 1) {
    self.bytes = bytes
    self.nodes = nodes
  }
}

// SPDX-License-Identifier: MIT

/// Memory that a database's own structures occupy, in bytes by kind. Exact: what the frame allocator handed out.
@frozen public struct TableFootprint: Sendable, Equatable, BitwiseCopyable {
  /// Nodes of tree-shaped tables.
  public var nodes: UInt64
  /// Arrays of hashed tables.
  public var ways: UInt64
  /// Structures that tell the walker where to look.
  public var walkTables: UInt64
  /// Summaries that make range questions cheap.
  public var summaries: UInt64

  /// A footprint; what is not named is zero.
  @inlinable public init(
    nodes: UInt64 = 0, ways: UInt64 = 0, walkTables: UInt64 = 0, summaries: UInt64 = 0
  ) {
    self.nodes = nodes
    self.ways = ways
    self.walkTables = walkTables
    self.summaries = summaries
  }

  /// The sum.
  @inlinable public var total: UInt64 { nodes &+ ways &+ walkTables &+ summaries }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import Machine
internal import VMM

extension ReplayReport {
  /// Bytes of page tables.
  public struct Tables: Codable, Sendable, Equatable {
    /// The most that all processes had together.
    public var peak: UInt64 = 0
    /// What all processes had together when the last one ended.
    public var final: UInt64 = 0
    /// What a process has that maps nothing.
    public var emptyProcess: UInt64 = 0
    /// The most that one process had.
    public var largestProcess: UInt64 = 0
    /// What was on each NUMA node when there was most; nil on a machine with one node.
    public var peakByNode: [UInt64]?
  }

  /// Makes an empty process after the replay, looks at its tables and ends it.
  @usableFromInline
  mutating func measureEmptyProcess<Service: TranslationService, Walker: PageWalker>(
    _ machine: Machine<Service, Walker>
  ) where Service.Root == Walker.Root {
    guard let process = try? machine.calls.start(.max) else { return }
    pageTableBytes.emptyProcess = process.space.database.footprint.total
    machine.calls.exit(process.pid)
  }
}

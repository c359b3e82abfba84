// SPDX-License-Identifier: MIT

/// SysV shared-memory segments by identifier and key.
public struct SegmentRegistry {
  /// One segment.
  struct Segment {
    var file: FileID
    var key: UInt64
    /// The bytes that were asked for.
    var size: UInt64 = 0
    /// Who may do what: nine bits.
    var mode: UInt32 = 0o666
    /// The user that it belongs to.
    var owner: UInt32 = 0
    /// The user that made it.
    var creator: UInt32 = 0
    /// The process that made it.
    var creatorProcess: UInt32 = 0
    /// The process that attached or detached it last.
    var lastProcess: UInt32 = 0
    var attachments = 0
    /// IPC_RMID was asked for: it goes with its last attachment.
    var isDoomed = false
    /// SHM_LOCK was asked for.
    var isLocked = false
  }
  var segments: [UInt64: Segment] = [:]
  /// The most segments that there can be (Linux: `kernel.shmmni`).
  public var maximumCount = 4096
  private var nextIdentifier: UInt64 = 1

  /// No segments.
  public init() {}

  /// How many segments there are.
  public var count: Int { segments.count }

  /// The identifier of the segment with `key`; private segments (key 0) are not found by key.
  func identifier(ofKey key: UInt64) -> UInt64? {
    guard key != 0 else { return nil }
    return segments.keys.sorted().first { segments[$0]?.key == key && segments[$0]?.isDoomed == false }
  }

  /// The identifier of the segment over `file`.
  func identifier(of file: FileID) -> UInt64? { segments.first { $0.value.file == file }?.key }

  /// Adds a segment, under `identifier` if that is given.
  mutating func add(_ segment: Segment, as identifier: UInt64?) -> UInt64 {
    let chosen = identifier ?? nextIdentifier
    nextIdentifier = max(nextIdentifier, chosen + 1)
    segments[chosen] = segment
    return chosen
  }
}

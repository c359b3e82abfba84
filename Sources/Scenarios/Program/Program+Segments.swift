// SPDX-License-Identifier: MIT
public import VMM

/// What `shmctl(IPC_STAT)` tells of a segment.
public struct SegmentStatus: Sendable, Equatable {
  /// The key that it was made with.
  public var key: UInt64
  /// Its owner.
  public var owner: UInt64
  /// Mode, SHM_DEST 01000 and SHM_LOCKED 02000.
  public var mode: UInt64
  /// Its size in bytes.
  public var bytes: UInt64
  /// The process that made it.
  public var creator: UInt64
  /// The process that attached or detached last; 0 for none.
  public var lastUser: UInt64
  /// How often it is attached.
  public var attachments: UInt64
}

// SysV segments.
extension Program {
  /// `shmctl(IPC_STAT)`.
  public func status(_ segment: UInt64) throws(Errno) -> SegmentStatus {
    let at = scratch(13 * page)
    try control(segment, 2, buffer: at)
    return SegmentStatus(
      key: loadWord(at, bytes: 4), owner: loadWord(at + 4, bytes: 4), mode: loadWord(at + 20, bytes: 4),
      bytes: loadWord(at + 48), creator: loadWord(at + 80, bytes: 4), lastUser: loadWord(at + 84, bytes: 4),
      attachments: loadWord(at + 88))
  }

  /// `shmctl(IPC_SET)`: a new owner and mode.
  public func change(_ segment: UInt64, owner: UInt64, mode: UInt64) throws(Errno) {
    let at = scratch(13 * page)
    storeWord(at + 4, owner, bytes: 4)
    storeWord(at + 20, mode, bytes: 4)
    try control(segment, 1, buffer: at)
  }

  /// `shmctl`: IPC_RMID 0, IPC_SET 1, IPC_STAT 2, SHM_LOCK 11, SHM_UNLOCK 12, SHM_INFO 14.
  @discardableResult
  public func control(_ segment: UInt64, _ command: UInt64, buffer: UInt64 = 0) throws(Errno) -> UInt64 {
    try call(.shmctl, ["segment": segment, "command": command, "buffer": buffer])
  }

  /// How often a segment must be attached.
  public func expectAttachments(_ segment: UInt64, _ count: UInt64) {
    do { expect(try status(segment).attachments, count, "attachments") } catch {
      scenario.fail("IPC_STAT succeeds", "\(error)")
    }
  }
}

// SPDX-License-Identifier: MIT
public import VMM

// Groups whose memory is counted and limited together, in the scenario's log.
extension Program {
  /// A new group, with a limit of `limit` pages and this program in it.
  /// - Parameter parent: the group that it is a part of; 0 for none.
  /// - Returns: its number.
  public func group(
    _ name: String, in parent: UInt16 = 0, limit: UInt64? = nil, joins: Bool = true
  ) throws(Errno) -> UInt16 {
    let number = try act("mkdir group \(name)") { () throws(Errno) in
      try administration.makeGroup(name, in: parent)
    }
    if let limit { try setLimit(number, pages: limit) }
    if joins { try join(number) }
    return number
  }

  /// The program moves into a group; 0 is none.
  public func join(_ group: UInt16) throws(Errno) {
    try act("joins group \(group)") { () throws(Errno) in try administration.move(pid, toGroup: group) }
  }

  /// Limits a group.
  public func setLimit(_ group: UInt16, pages: UInt64, bytes: UInt64 = 0) throws(Errno) {
    try act("group \(group) is limited to \(pages) pages and \(bytes) bytes") { () throws(Errno) in
      try administration.setLimit(ofGroup: group, bytes: pages * page + bytes)
    }
  }

  /// A group's limit and counters; nil when there is no such group.
  public func group(_ number: UInt16) -> MemoryGroup? {
    do { return try administration.group(number) } catch { return nil }
  }

  /// What a group's pages are; nothing when there is no such group.
  public func statistics(_ group: UInt16) -> MemoryGroupStatistics {
    do { return try administration.statistics(ofGroup: group) } catch { return MemoryGroupStatistics() }
  }

  /// Pages charged to a group.
  public func expectUsage(_ group: UInt16, _ pages: UInt64) {
    expect(self.group(group)?.usage, pages, "pages charged to group \(group)")
  }
}

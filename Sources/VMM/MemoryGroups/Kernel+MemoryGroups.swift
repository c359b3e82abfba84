// SPDX-License-Identifier: MIT
internal import EMTCore
internal import SimMemory

// Groups as an administrator sees them: Linux's directories below `/sys/fs/cgroup`.
extension Kernel {
  /// A new group without members or limit.
  /// - Parameter parent: the group that it is a part of; 0 for none.
  /// - Returns: its number.
  /// - Throws: `.enoent` for an unknown parent, `.eexist` for a name that it has, `.enospc` beyond 4,095 groups.
  public func makeGroup(_ name: String, in parent: UInt16 = 0) throws(Errno) -> UInt16 {
    if parent != 0 { _ = try group(parent) }
    let isTaken = memoryGroups.value.groups.contains { $0?.name == name && $0?.parent == parent }
    if isTaken { throw .eexist }
    guard let number = memoryGroups.value.add(MemoryGroup(name: name, parent: parent)) else {
      throw .enospc
    }
    // From now on whoever takes a page says for whom.
    counters.value.placesPages = true
    return number
  }

  /// A group's limit and counters.
  /// - Throws: `.enoent`.
  public func group(_ number: UInt16) throws(Errno) -> MemoryGroup {
    guard let group = memoryGroups.value[number] else { throw .enoent }
    return group
  }

  /// The group that a process is in; 0 for none.
  public func group(of process: Process<Database>) -> UInt16 {
    memoryGroups.value.group(of: process.space.number)
  }

  /// Moves a process, with all that share its memory, into a group; 0 is none. Pages that it has stay charged where they
  /// are, as on Linux. Children and new programs are in the group of their parent.
  /// - Throws: `.enoent`.
  public func move(_ process: Process<Database>, toGroup number: UInt16) throws(Errno) {
    if number != 0 { _ = try group(number) }
    memoryGroups.value.join(process.space.number, number, process.space.faults)
  }

  /// Limits a group to whole pages of `bytes`. What it has beyond that is reclaimed first.
  /// - Throws: `.enoent`; `.ebusy` when too little could be reclaimed: the limit is as before then.
  public func setLimit(ofGroup number: UInt16, bytes: UInt64) throws(Errno) {
    let limit = bytes == .max ? .max : bytes >> 12
    while try group(number).usage > limit {
      guard reclaim(group: number, count: try group(number).usage - limit) > 0 else { throw .ebusy }
    }
    memoryGroups.value[number]?.limit = limit
  }

  /// Whether a process of the group is ended when nothing in it can be reclaimed (Linux: `memory.oom_control`).
  /// - Throws: `.enoent`.
  public func setKilling(ofGroup number: UInt16, _ isOn: Bool) throws(Errno) {
    _ = try group(number)
    memoryGroups.value[number]?.isKilling = isOn
  }

  /// The peak of a group's usage is what it uses now (Linux: a write to `memory.max_usage_in_bytes`).
  /// - Throws: `.enoent`.
  public func resetPeak(ofGroup number: UInt16) throws(Errno) {
    memoryGroups.value[number]?.peak = try group(number).usage
  }

  /// Its failures are counted anew (Linux: a write to `memory.failcnt`).
  /// - Throws: `.enoent`.
  public func resetFailures(ofGroup number: UInt16) throws(Errno) {
    _ = try group(number)
    memoryGroups.value[number]?.failures = 0
  }

  /// Removes a group. Pages that are still charged to it are charged to the group that it is a part of from now on.
  /// - Throws: `.enoent`; `.ebusy` while it has members or parts.
  public func removeGroup(_ number: UInt16) throws(Errno) {
    _ = try group(number)
    let hasParts = memoryGroups.value.groups.contains { $0?.parent == number }
    guard memoryGroups.value.members(of: number).isEmpty, !hasParts else { throw .ebusy }
    memoryGroups.value.dissolve(number)
  }

  /// A new address space is in the group of the one that it was made after.
  @usableFromInline func inheritGroup(_ space: Space<Database>, _ parent: Space<Database>) {
    let number = memoryGroups.value.group(of: parent.number)
    if number != 0 { memoryGroups.value.join(space.number, number, space.faults) }
  }
}

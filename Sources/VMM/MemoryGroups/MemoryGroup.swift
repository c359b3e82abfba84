// SPDX-License-Identifier: MIT

/// A group of processes whose memory is counted and limited together (Linux: a memory cgroup). Numbers are of base pages.
public struct MemoryGroup: Sendable, Equatable {
  /// The group's name.
  public let name: String
  /// The group that it is a part of; 0 for none.
  public let parent: UInt16
  /// The most pages that its members, and those of its parts, may have in memory.
  public internal(set) var limit: UInt64 = .max
  /// Pages charged to it and to its parts.
  public internal(set) var usage: UInt64 = 0
  /// The most there ever were, or since `Kernel.resetPeak(ofGroup:)`.
  public internal(set) var peak: UInt64 = 0
  /// How often the limit stood in the way (`memory.failcnt`).
  public internal(set) var failures: UInt64 = 0
  /// How often nothing could be reclaimed in it (`oom` of `memory.events`).
  public internal(set) var shortages: UInt64 = 0
  /// Processes that were ended for that (`oom_kill`).
  public internal(set) var kills: UInt64 = 0
  /// Whether a process of the group is ended then. Without that the one that wanted memory is told.
  public internal(set) var isKilling = true
  /// Faults of members that are gone, or have left.
  var formerFaults = ProcessUsage()

  init(name: String, parent: UInt16) {
    self.name = name
    self.parent = parent
  }
}

/// What a group's pages are, in base pages, with its parts (Linux: `memory.stat`).
public struct MemoryGroupStatistics: Sendable, Equatable {
  /// Private pages.
  public var anonymous: UInt64 = 0
  /// Pages of files and of shared memory, mapped or not.
  public var cache: UInt64 = 0
  /// Those of them that are shared memory.
  public var sharedMemory: UInt64 = 0
  /// Pages of files and of shared memory that somebody maps.
  public var mappedFile: UInt64 = 0
  /// Pages that are known to stay in memory because they are locked.
  public var unevictable: UInt64 = 0
  /// Private pages and pages of shared memory that were reclaimed to swap and are not back.
  public var swapped: UInt64 = 0
  /// Faults of members that were resolved, now and before (`pgfault`).
  public var faults: UInt64 = 0
  /// Those of them that needed storage (`pgmajfault`).
  public var majorFaults: UInt64 = 0

  /// Nothing.
  public init() {}
}

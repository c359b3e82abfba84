// SPDX-License-Identifier: MIT

/// What the job that merges equal pages does (Linux: `/sys/kernel/mm/ksm/run`).
public enum MergeMode: UInt8, Sendable, CaseIterable {
  /// Nothing; what is merged stays merged.
  case stop = 0
  /// It merges.
  case merge = 1
  /// Nothing, and everything that was merged was taken apart.
  case unmerge = 2
}

/// How equal pages are merged, with Linux's names and defaults, but that the job is stopped.
public struct MergeSettings: Sendable, Equatable {
  /// Whether pages of zeroes give way to the shared page of zeroes (`use_zero_pages`).
  public var usesZeroPages = false
  /// How many pages may be merged into one, at least 2 (`max_page_sharing`). Children of a fork come on top.
  public var maximumSharing = 256

  /// Whether pages of different nodes may be merged (`merge_across_nodes`): `Kernel.setMergesAcrossNodes` changes it.
  public internal(set) var mergesAcrossNodes = true

  /// Linux's defaults.
  public init() {}
}

/// What the job found and did, in base pages, with Linux's names. A page that changed or went away is noticed when the job
/// passes by.
public struct MergeCounts: Sendable, Equatable {
  /// Pages that others were merged into (`pages_shared`).
  public var shared: UInt64 = 0
  /// Pages that were saved by that (`pages_sharing`).
  public var sharing: UInt64 = 0
  /// Pages that equal no other one, and did not change lately (`pages_unshared`).
  public var unshared: UInt64 = 0
  /// Pages that were seen only once, or changed since (`pages_volatile`).
  public var volatile: UInt64 = 0
  /// How often all that may be merged was looked at (`full_scans`).
  public var fullScans: UInt64 = 0
  /// Pages that gave way to the shared page of zeroes, ever.
  public var zeroPages: UInt64 = 0
  /// Merged pages that have the contents of another one, because that had as many sharers as it may (`stable_node_dups`
  /// counts all pages of such sets).
  public var duplicates: UInt64 = 0

  /// Nothing.
  public init() {}
}

// SPDX-License-Identifier: MIT

/// Which memory gets transparent huge pages (Linux: `/sys/kernel/mm/transparent_hugepage/enabled`).
public enum HugePagePolicy: String, Sendable, CaseIterable {
  /// None, unless a program asks for a collapse by MADV_COLLAPSE.
  case never
  /// Areas that a program marked with MADV_HUGEPAGE.
  case madvise
  /// All private anonymous areas but those marked with MADV_NOHUGEPAGE.
  case always
}

/// How the memory manager uses huge pages.
public struct HugePageSettings: Sendable, Equatable {
  /// Which memory gets them.
  public var policy: HugePagePolicy
  /// Whether untouched memory that is only read shares one huge page of zeroes (Linux: `use_zero_page`).
  public var usesZeroPage = true
  /// The background job.
  public var background = CollapseSettings()

  /// Linux's defaults, but for the policy.
  public init(policy: HugePagePolicy = .never) { self.policy = policy }
}

/// Limits of the background job that makes huge pages of base pages (Linux: `khugepaged`), with Linux's defaults for
/// 4 KiB base pages and 2 MiB huge pages.
public struct CollapseSettings: Sendable, Equatable {
  /// Whether the job runs at all.
  public var isOn = true
  /// Base pages that one pass looks at (`pages_to_scan`).
  public var pagesPerPass: UInt64 = 4096
  /// Base pages of a huge page that may be untouched or zero.
  public var maximumEmpty: UInt64 = 511
  /// Base pages of a huge page that may be shared with other processes.
  public var maximumShared: UInt64 = 256
  /// Base pages of a huge page that may have to be brought back from swap.
  public var maximumSwapped: UInt64 = 64

  /// Linux's defaults.
  public init() {}
}

/// What happened with huge pages since boot.
public struct HugePageCounts: Sendable, Equatable {
  /// Huge pages mapped by faults, huge zero pages included.
  public var mapped: UInt64 = 0
  /// Faults that could have got a huge page but for want of a free block.
  public var fallbacks: UInt64 = 0
  /// Huge translations that were split.
  public var splits: UInt64 = 0
  /// Huge pages that were made of base pages, in the background or by MADV_COLLAPSE.
  public var collapses: UInt64 = 0

  /// Huge translations of device memory.
  public var device: UInt64 = 0

  /// None yet.
  public init() {}

  /// Whether there ever was a huge page, so that one may have to be split.
  @inlinable var isInUse: Bool { mapped | collapses | device != 0 }
}

// SPDX-License-Identifier: MIT

/// The policies of an object of shared memory: they belong to its pages, whoever maps them. Disjoint ranges in order.
public struct SharedPolicies: Sendable {
  private var ranges: [(pages: Range<UInt64>, policy: UInt16)] = []

  /// No policies.
  public init() {}

  /// Whether there are none.
  public var isEmpty: Bool { ranges.isEmpty }

  /// The number of the policy of `page`; 0 for none.
  public func policy(of page: UInt64) -> UInt16 {
    ranges.first { $0.pages.contains(page) }?.policy ?? 0
  }

  /// Gives `pages` a policy, or none with 0.
  mutating func set(_ policy: UInt16, _ pages: Range<UInt64>) {
    var changed: [(pages: Range<UInt64>, policy: UInt16)] = []
    for old in ranges {
      let (low, high) = (old.pages.lowerBound, old.pages.upperBound)
      if low < pages.lowerBound { changed.append((low..<min(high, pages.lowerBound), old.policy)) }
      if high > pages.upperBound { changed.append((max(low, pages.upperBound)..<high, old.policy)) }
    }
    if policy != 0 { changed.append((pages, policy)) }
    ranges = changed.sorted { $0.pages.lowerBound < $1.pages.lowerBound }
  }

  /// Replaces every policy.
  mutating func replaceAll(_ change: (UInt16) -> UInt16) {
    for index in ranges.indices { ranges[index].policy = change(ranges[index].policy) }
  }
}

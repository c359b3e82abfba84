// SPDX-License-Identifier: MIT

/// How many entries a TLB or walk cache has and how they are arranged.
@frozen public struct TLBGeometry: Hashable, Sendable, BitwiseCopyable {
  /// Entries, `sets * ways`; 0 is a cache that is not there.
  public let entries: Int
  /// Entries that one page may be kept in.
  public let ways: Int
  /// Sets; any number, not only powers of two.
  public var sets: Int { ways == 0 ? 0 : entries / ways }

  /// `entries` in sets of `ways`; the first is a multiple of the second.
  public init(entries: Int, ways: Int) {
    precondition(entries >= 0 && ways > 0 && entries % ways == 0, "entries must be a multiple of ways")
    self.entries = entries
    self.ways = ways
  }

  /// `entries` in one set: a page may be kept in any of them.
  public init(fullyAssociative entries: Int) { self.init(entries: entries, ways: max(entries, 1)) }
}

/// Where a TLB level keeps the entries of one page size.
@frozen public enum TLBPlacement: Hashable, Sendable {
  /// In an array of their own.
  case own(TLBGeometry)
  /// In the array of 4 KiB entries.
  case unified
  /// Nowhere: a page is kept in pieces of the next smaller size that has a place.
  case none
}

/// One TLB level.
public struct TLBLevelConfiguration: Hashable, Sendable {
  /// Entries of 4 KiB, and those of larger pages that are `unified`.
  public var base: TLBGeometry
  /// Entries of 2 MiB pages.
  public var twoMiB: TLBPlacement
  /// Entries of 1 GiB pages.
  public var oneGiB: TLBPlacement

  /// A level.
  public init(base: TLBGeometry, twoMiB: TLBPlacement, oneGiB: TLBPlacement) {
    self.base = base
    self.twoMiB = twoMiB
    self.oneGiB = oneGiB
  }
}

/// The TLBs of one CPU: two at the first level, one behind them.
public struct TLBConfiguration: Hashable, Sendable {
  /// First level for instruction fetches.
  public var fetch: TLBLevelConfiguration
  /// First level for loads and stores.
  public var data: TLBLevelConfiguration
  /// Second level for everything.
  public var second: TLBLevelConfiguration

  /// TLBs of the given levels.
  public init(
    fetch: TLBLevelConfiguration, data: TLBLevelConfiguration, second: TLBLevelConfiguration
  ) {
    self.fetch = fetch
    self.data = data
    self.second = second
  }

  /// Like Intel's Skylake, for one hardware thread (Intel Optimization Reference Manual, "Skylake
  /// microarchitecture", TLB table).
  ///
  /// | level | 4 KiB | 2 MiB | 1 GiB |
  /// |---|---|---|---|
  /// | fetch | 64, 8 ways | 8, all ways | in 2 MiB pieces |
  /// | data | 64, 4 ways | 32, 4 ways | 4, all ways |
  /// | second | 1536, 12 ways | with 4 KiB | 16, 4 ways |
  public static var standard: TLBConfiguration {
    TLBConfiguration(
      fetch: TLBLevelConfiguration(
        base: TLBGeometry(entries: 64, ways: 8), twoMiB: .own(TLBGeometry(fullyAssociative: 8)), oneGiB: .none
      ),
      data: TLBLevelConfiguration(
        base: TLBGeometry(entries: 64, ways: 4), twoMiB: .own(TLBGeometry(entries: 32, ways: 4)),
        oneGiB: .own(TLBGeometry(fullyAssociative: 4))),
      second: TLBLevelConfiguration(
        base: TLBGeometry(entries: 1536, ways: 12), twoMiB: .unified,
        oneGiB: .own(TLBGeometry(entries: 16, ways: 4))))
  }
}

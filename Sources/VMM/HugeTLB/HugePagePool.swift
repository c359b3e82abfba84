// SPDX-License-Identifier: MIT
public import SimMemory

/// The counters of a pool of huge pages, as Linux shows them in `/proc/meminfo` and under `/sys/kernel/mm/hugepages`.
public struct HugePageCounters: Sendable, Equatable {
  /// Pages of the pool, in use or not (HugePages_Total).
  public var total: UInt64
  /// Pages that nobody uses (HugePages_Free).
  public var free: UInt64
  /// Free pages that were promised to mappings (HugePages_Rsvd).
  public var reserved: UInt64
  /// Pages above the size that the pool was given (HugePages_Surp).
  public var surplus: UInt64

  /// Counters with these values.
  public init(total: UInt64 = 0, free: UInt64 = 0, reserved: UInt64 = 0, surplus: UInt64 = 0) {
    self.total = total
    self.free = free
    self.reserved = reserved
    self.surplus = surplus
  }
}

/// The huge pages of one size that are set aside for programs that ask for them by name (Linux: `struct hstate`).
@usableFromInline struct HugePagePool: Sendable {
  /// The size of its pages.
  @usableFromInline let size: PageSize
  /// The first frames of free pages; the last one is given out next.
  var free: ContiguousArray<FrameNumber> = []
  /// Pages in use or not, by node.
  private(set) var totals: [UInt64]
  /// The node that gets the next page when the pool grows, or loses one.
  var nextNode = 0
  /// Free pages that were promised.
  var reserved: UInt64 = 0
  /// Pages above the size that the pool was given.
  var surplus: UInt64 = 0
  /// How many surplus pages there may be (`nr_overcommit_hugepages`).
  var overcommit: UInt64 = 0

  init(_ size: PageSize, nodes: Int) {
    self.size = size
    totals = Array(repeating: 0, count: nodes)
  }

  /// Pages in use or not.
  var total: UInt64 { totals.count == 1 ? totals[0] : totals.reduce(0, +) }

  /// The pool has one more page, on `node`.
  mutating func noteGain(_ node: Int) { totals[node] += 1 }

  /// The pool has one page less, on `node`.
  mutating func noteLoss(_ node: Int) { totals[node] -= 1 }

  var freePages: UInt64 { UInt64(free.count) }
  /// Free pages that nobody was promised.
  var available: UInt64 { freePages - reserved }
  /// The pages that stay when nobody uses them.
  var persistent: UInt64 { total - surplus }
  /// Whether pages are larger than what Linux's page allocator gives out in one piece, so that none come as surplus.
  var isGigantic: Bool { size.order > 10 }

  var counters: HugePageCounters {
    HugePageCounters(total: total, free: freePages, reserved: reserved, surplus: surplus)
  }
}

/// What a pool could give for a page that is needed now.
@usableFromInline enum HugePageSupply {
  /// A page with undefined contents, and whether a reservation was used up for it.
  case page(FrameNumber, wasReserved: Bool)
  /// Nothing that was not promised to others, and the pool may not grow.
  case exhausted
  /// The pool may grow, but no block of frames is free: reclaim may help.
  case noBlock
}

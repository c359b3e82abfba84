// SPDX-License-Identifier: MIT
internal import EMTCore
public import SimMemory

// The pools as an administrator sees them: Linux's files under `/sys/kernel/mm/hugepages`.
extension Kernel {
  /// The sizes that there are pools of: those that the driver can map, and that Linux has on x86-64.
  public var hugePagePoolSizes: [PageSize] { poolCell.value.map(\.size) }

  /// The counters of the pool of pages of `size`.
  /// - Throws: `.einval` where there is no such pool.
  public func hugePagePool(_ size: PageSize) throws(Errno) -> HugePageCounters {
    poolCell.value[try poolNumber(size)].counters
  }

  /// Makes the pool `count` pages large, as far as memory goes (Linux: `nr_hugepages`).
  ///
  /// A larger pool takes surplus pages as its own first. A smaller one gives free pages back that were not promised;
  /// what is in use beyond `count` becomes surplus, and goes when it is free again.
  /// - Returns: the size that was reached, surplus pages not counted.
  /// - Throws: `.einval` where there is no such pool.
  @discardableResult public func setHugePages(_ size: PageSize, _ count: UInt64) throws(Errno) -> UInt64 {
    let number = try poolNumber(size)
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    let taken = min(poolCell.value[number].surplus, count - min(count, poolCell.value[number].persistent))
    poolCell.value[number].surplus -= taken
    while poolCell.value[number].persistent < count, let head = takeBlock(size) {
      poolCell.value[number].total += 1
      poolCell.value[number].free.append(head)
    }
    let pool = poolCell.value[number]
    let needed = max(count, pool.reserved + pool.total - pool.freePages)
    while poolCell.value[number].persistent > needed { freePoolPage(number) }
    if poolCell.value[number].persistent > count {
      poolCell.value[number].surplus += poolCell.value[number].persistent - count
    }
    return poolCell.value[number].persistent
  }

  /// Lets the pool grow by up to `count` pages when mappings ask for more than it has (Linux:
  /// `nr_overcommit_hugepages`). Such surplus pages go when they are free again.
  /// - Throws: `.einval` where there is no such pool, or its pages are too large for that.
  public func setHugePageOvercommit(_ size: PageSize, _ count: UInt64) throws(Errno) {
    let number = try poolNumber(size)
    if poolCell.value[number].isGigantic { throw .einval }
    poolCell.value[number].overcommit = count
  }

  func poolNumber(_ size: PageSize) throws(Errno) -> Int {
    guard let number = poolCell.value.firstIndex(where: { $0.size == size }) else { throw .einval }
    return number
  }

  /// The pool that a call names by the binary logarithm of its pages' size in six bits; 0 names the smallest.
  func poolNumber(logarithm: UInt64) -> Int? {
    let shift = logarithm & 63
    if shift == 0 { return poolCell.value.isEmpty ? nil : 0 }
    return poolCell.value.firstIndex { UInt64($0.size.shift) == shift }
  }

  /// A block for a page of a pool. Reclaims memory for it, so no lock may be held.
  func takeBlock(_ size: PageSize) -> FrameNumber? {
    while true {
      if let head = takeFreeBlock(size) { return head }
      guard reclaimAfterFailure() else { return nil }
    }
  }

  /// A block for a page of a pool, if one is free.
  func takeFreeBlock(_ size: PageSize) -> FrameNumber? {
    guard let head = platform.frames.allocate(order: size.order) else { return nil }
    meter.count(.blockAllocated)
    return head
  }

  /// Gives a free page of a pool back to the frame allocator.
  func freePoolPage(_ number: Int) {
    guard let head = poolCell.value[number].free.popLast() else {
      preconditionFailure("a pool has fewer free pages than it counts")
    }
    poolCell.value[number].total -= 1
    meter.count(.blockFreed)
    platform.frames.free(head, order: poolCell.value[number].size.order)
  }

  /// Empties all pools: at shutdown, when nobody uses their pages.
  func releaseHugePools() {
    for number in poolCell.value.indices {
      while !poolCell.value[number].free.isEmpty { freePoolPage(number) }
    }
  }

  /// Pools of the sizes that Linux has and that `sizes` offers.
  static func makePools(_ sizes: PageSizes) -> [HugePagePool] {
    [PageSize.twoMiB, .oneGiB].filter { sizes.contains($0) }.map { HugePagePool($0) }
  }
}

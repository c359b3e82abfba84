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
  /// what is in use beyond `count` becomes surplus, and goes when it is free again. Nodes take turns.
  /// - Parameter node: the node whose part of the pool is to be that large; other nodes keep theirs (Linux: the same file
  ///   under `/sys/devices/system/node`).
  /// - Returns: the size that was reached, surplus pages not counted; with a node all pages there.
  /// - Throws: `.einval` where there is no such pool, or no such node.
  @discardableResult
  public func setHugePages(_ size: PageSize, _ count: UInt64, node: Int? = nil) throws(Errno) -> UInt64 {
    let number = try poolNumber(size)
    if let node, !(0..<platform.frames.nodeCount).contains(node) { throw .einval }
    let mark = meter.enter(.systemCall)
    defer { meter.leave(mark) }
    let elsewhere = node.map { poolCell.value[number].total - poolCell.value[number].totals[$0] } ?? 0
    let count = elsewhere + min(count, .max - elsewhere)
    let taken = min(poolCell.value[number].surplus, count - min(count, poolCell.value[number].persistent))
    poolCell.value[number].surplus -= taken
    while poolCell.value[number].persistent < count, let head = takePoolBlock(number, node) {
      poolCell.value[number].noteGain(platform.frames.node(of: head))
      poolCell.value[number].free.append(head)
    }
    let pool = poolCell.value[number]
    let needed = max(count, pool.reserved + pool.total - pool.freePages)
    while poolCell.value[number].persistent > needed {
      guard freePoolPage(number, node: node) else { break }
    }
    if poolCell.value[number].persistent > count, node == nil {
      poolCell.value[number].surplus += poolCell.value[number].persistent - count
    }
    return node.map { poolCell.value[number].totals[$0] } ?? poolCell.value[number].persistent
  }

  /// Pages of the pool on `node`: all, and free ones (Linux: `nr_hugepages` and `free_hugepages` of the node).
  /// - Throws: `.einval` where there is no such pool.
  public func hugePagePool(_ size: PageSize, node: Int) throws(Errno) -> (total: UInt64, free: UInt64) {
    let pool = poolCell.value[try poolNumber(size)]
    let free = pool.free.count { platform.frames.node(of: $0) == node }
    return (pool.totals[node], UInt64(free))
  }

  /// A block for a larger pool: of `node`, or of the node whose turn it is.
  private func takePoolBlock(_ number: Int, _ node: Int?) -> FrameNumber? {
    let size = poolCell.value[number].size
    guard platform.frames.nodeCount > 1 else { return takeBlock(size) }
    while true {
      for step in 0..<platform.frames.nodeCount {
        let candidate = node ?? (poolCell.value[number].nextNode + step) % platform.frames.nodeCount
        let within = NodeSet.only(candidate).bits
        if let head = platform.frames.allocate(order: size.order, node: candidate, within: within) {
          meter.count(.blockAllocated)
          poolCell.value[number].nextNode = (candidate + 1) % platform.frames.nodeCount
          return head
        }
      }
      guard reclaimAfterFailure() else { return nil }
    }
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

  /// Gives a free page of a pool back to the frame allocator: of `node`, or of the node whose turn it is.
  /// - Returns: whether there was one.
  @discardableResult func freePoolPage(_ number: Int, node: Int? = nil) -> Bool {
    let free = poolCell.value[number].free
    var index = free.indices.last
    if platform.frames.nodeCount > 1 {
      let wanted = node ?? poolCell.value[number].nextNode
      index = free.lastIndex { platform.frames.node(of: $0) == wanted } ?? (node == nil ? index : nil)
      poolCell.value[number].nextNode = (wanted + 1) % platform.frames.nodeCount
    }
    guard let index else { return false }
    giveUp(poolCell.value[number].free.remove(at: index), number)
    return true
  }

  /// A page leaves a pool.
  func giveUp(_ head: FrameNumber, _ number: Int) {
    poolCell.value[number].noteLoss(platform.frames.node(of: head))
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
  static func makePools(_ sizes: PageSizes, nodes: Int) -> [HugePagePool] {
    [PageSize.twoMiB, .oneGiB].filter { sizes.contains($0) }.map { HugePagePool($0, nodes: nodes) }
  }
}

// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

extension ClusterTable {
  /// Basic 4. One search of the 4 KiB table; only if that finds no cluster, the summary is asked.
  ///
  /// A void of eight pages or more is reported as such; one inside a cluster page by page. A cluster of base pages
  /// maps something, so while it is there no larger page is where it is.
  @inlinable public func find(_ address: VirtualAddress) -> X86Object {
    context.meter.count(.lookup)
    let generation = context.generation
    if owns(address), let location = locate(address, 0) {
      let raw = memory.loadAcquire(location)
      if context.generation == generation {
        return X86Object(
          address, .base, entry: X86Entry(raw), location: location.raw, generation: generation)
      }
    }
    return findSlowly(address, generation)
  }

  /// What is at `address`, where no cluster of base pages was found in the move generation `missed`.
  @inlinable @inline(never)
  func findSlowly(_ address: VirtualAddress, _ missed: UInt64) -> X86Object {
    while true {
      let generation = context.generation
      let object = search(address, generation, hasNoCluster: missed == generation)
      if context.generation == generation { return object }
    }
  }

  /// What is at `address`: a page with its location, or a void; the location of an entry that maps nothing says that
  /// there is a cluster of base pages. The summary says which table to search.
  /// - Parameter generation: noted in the object. The answer is right if it is still the move generation afterwards.
  @inlinable
  func search(_ address: VirtualAddress, _ generation: UInt64, hasNoCluster: Bool = false) -> X86Object {
    guard owns(address) else { return X86Object(address, .base, entry: X86Entry(0)) }
    guard let summary = summary(of: address) else {
      let size = summaryCount == 0 ? PageSize(shift: 47) : ClusterSummary.span
      return X86Object(address, size, entry: X86Entry(0))
    }
    let spans = spans(summary, address)
    if spans == 0 { return X86Object(address, .oneGiB, entry: X86Entry(0)) }
    let pages = pages(summary, address)
    let table = spans & ClusterSummary.giant != 0 ? 2 : pages & ClusterSummary.huge != 0 ? 1 : 0
    if table != 0 || pages != 0 && !hasNoCluster, let location = locate(address, table) {
      return X86Object(
        address, ClusterFormat.pageSize(table), entry: X86Entry(memory.loadAcquire(location)),
        location: location.raw, generation: generation)
    }
    let void = table == 0 ? (pages == 0 ? PageSize.twoMiB : ClusterFormat.span(0)) : .base
    return X86Object(address, void, entry: X86Entry(0))
  }

  /// Where the entry of `table` for `address` is, nil when there is no cluster. The structure lock is held.
  @inlinable public func entry(_ address: VirtualAddress, _ table: Int) -> PhysicalAddress? {
    context.meter.count(.lookup)
    return locate(address, table)
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

// Searches by contents: O(log n) comparisons of pages, O(n) moves for an insertion.
extension SamePages {
  /// Where a page stands, or would stand, in a set.
  @usableFromInline struct Position {
    @usableFromInline var index: Int
    @usableFromInline var isFound: Bool
    @inlinable init(_ index: Int, isFound: Bool) {
      self.index = index
      self.isFound = isFound
    }
  }

  /// Whether a merged page still has translations, so that its frame is its own.
  func isAlive(_ node: UInt64, _ table: FrameTable) -> Bool {
    guard let frame = nodes[node]?.frame else { return false }
    return table.pageFlags(frame).contains(.merged) && table.word(frame) == PageKey(merged: node).word
  }

  /// Forgets a merged page that nothing maps any more.
  private func bury(_ node: UInt64) {
    for sharer in nodes[node]?.sharers ?? [] { detach(sharer) }
    nodes[node] = nil
  }

  /// Forgets dead pages among those of equal contents at `index`.
  /// - Returns: false when all were dead, and the place is gone.
  private func clean(_ index: Int, _ table: FrameTable) -> Bool {
    let dead = stable[index].filter { !isAlive($0, table) }
    guard !dead.isEmpty else { return true }
    if stable[index].count > 1 { counts.duplicates -= UInt64(stable[index].count) }
    stable[index].removeAll { dead.contains($0) }
    if stable[index].count > 1 { counts.duplicates += UInt64(stable[index].count) }
    dead.forEach(bury)
    guard stable[index].isEmpty else { return true }
    stable.remove(at: index)
    return false
  }

  /// Forgets all merged pages that nothing maps any more. O(merged pages).
  @usableFromInline func clean(_ table: FrameTable) {
    for index in stable.indices.reversed() { _ = clean(index, table) }
  }

  /// How two pages stand in the sets: negative, zero for pages that may be merged, positive. By contents, and by node
  /// before that where pages of different nodes are not merged.
  @usableFromInline
  func order(
    of first: FrameNumber, _ second: FrameNumber, _ memory: PhysicalMemory, _ frames: FrameAllocator
  ) -> Int {
    if !settings.mergesAcrossNodes {
      let distance = frames.node(of: first) - frames.node(of: second)
      if distance != 0 { return distance }
    }
    return memory.order(of: first.address, second.address, bytes: PageSize.base.bytes)
  }

  /// A merged page is in another frame now.
  func move(_ node: UInt64, to frame: FrameNumber, _ memory: PhysicalMemory, _ frames: FrameAllocator) {
    nodes[node]?.frame = frame
    guard !settings.mergesAcrossNodes, let index = stable.firstIndex(where: { $0.contains(node) }) else {
      return
    }
    // It may be on another node, and stands elsewhere then.
    if stable[index].count > 1 { counts.duplicates -= stable[index].count == 2 ? 2 : 1 }
    stable[index].removeAll { $0 == node }
    if stable[index].isEmpty { stable.remove(at: index) }
    enter(node, memory, frames)
  }

  /// Finds merged pages that equal the page in `frame`.
  private func searchStable(
    _ frame: FrameNumber, _ memory: PhysicalMemory, _ frames: FrameAllocator
  ) -> Position {
    var (low, high) = (0, stable.count)
    while low < high {
      let middle = (low + high) / 2
      guard clean(middle, frames.table), let other = nodes[stable[middle][0]]?.frame else {
        (low, high) = (0, stable.count)
        continue
      }
      let order = order(of: frame, other, memory, frames)
      if order == 0 { return Position(middle, isFound: true) }
      if order < 0 { high = middle } else { low = middle + 1 }
    }
    return Position(low, isFound: false)
  }

  /// A merged page that equals the page in `frame` and may get one more sharer.
  @usableFromInline
  func findMerged(_ frame: FrameNumber, _ memory: PhysicalMemory, _ frames: FrameAllocator) -> (
    node: UInt64, frame: FrameNumber
  )? {
    let place = searchStable(frame, memory, frames)
    guard place.isFound else { return nil }
    for node in stable[place.index] {
      if let found = nodes[node], found.sharers.count < settings.maximumSharing { return (node, found.frame) }
    }
    return nil
  }

  /// Puts a page that others were merged into in its place among the merged ones.
  @usableFromInline func enter(_ node: UInt64, _ memory: PhysicalMemory, _ frames: FrameAllocator) {
    guard let frame = nodes[node]?.frame else { return }
    let place = searchStable(frame, memory, frames)
    guard place.isFound else { return stable.insert([node], at: place.index) }
    stable[place.index].append(node)
    counts.duplicates += stable[place.index].count == 2 ? 2 : 1
  }

  /// Puts a page that was found alone at `index` of the unstable set.
  @usableFromInline func insertUnstable(_ id: PageID, at index: Int) {
    unstable.insert(id, at: index)
    setState(id, .unstable)
  }

  /// Everything was looked at once more.
  @usableFromInline func finishScan() {
    cursor = (0, VirtualAddress(0))
    unstable.removeAll(keepingCapacity: true)
    scan += 1
    counts.fullScans += 1
  }

  /// Merged pages of which more keys are known than sharers, so that some keys may be worthless.
  @usableFromInline func nodesWithSpareKeys() -> [(node: UInt64, frame: FrameNumber)] {
    nodes.filter { $0.value.keys.count > $0.value.sharers.count }
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value.frame) }
  }

  /// Keeps only the keys of `node` that `isNeeded` says.
  @usableFromInline func keepKeys(of node: UInt64, where isNeeded: (PageKey) -> Bool) {
    guard var found = nodes[node] else { return }
    found.keys = found.keys.filter(isNeeded)
    found.knownKeys = Set(found.keys)
    nodes[node] = found
  }

  /// Starts anew: nothing is merged or known any more but pages that could not be taken apart.
  @usableFromInline func reset(_ table: FrameTable) {
    for space in items.keys.sorted() { forget(space) }
    clean(table)
    unstable.removeAll()
    scan += 1
    counts.fullScans = 0
    cursor = (0, VirtualAddress(0))
  }
}

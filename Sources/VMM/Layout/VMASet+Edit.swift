// SPDX-License-Identifier: MIT
public import SimMemory

extension VMASet {
  /// Puts an area into a hole and merges it with neighbours that are alike.
  /// - Returns: how many areas were touched.
  @discardableResult public mutating func insert(_ area: VMA) -> Int {
    let index = firstIndex(endingAfter: area.range.start)
    precondition(
      index == areas.count || areas[index].range.start >= area.range.end, "mappings must not overlap")
    areas.insert(area, at: index)
    lastHit = index
    return 1 + mergeAround(index)
  }

  /// Takes every address of `range` out, cutting areas at its edges.
  /// - Returns: the parts that were taken out, in order.
  public mutating func remove(_ range: VirtualRange) -> [VMA] {
    var first = firstIndex(endingAfter: range.start)
    var last = first
    while last < areas.count, areas[last].range.start < range.end { last += 1 }
    guard first < last else { return [] }
    split(at: range.end)
    if split(at: range.start) {
      first += 1
      last += 1
    }
    let removed = Array(areas[first..<last])
    areas.removeSubrange(first..<last)
    return removed
  }

  /// Changes all of the mapped parts of `range`; areas are split at its edges first and merged afterwards.
  /// - Returns: how many areas were touched: cut, changed or merged.
  @discardableResult
  public mutating func update(_ range: VirtualRange, _ change: (inout VMA) -> Void) -> Int {
    let before = areas.count
    split(at: range.end)
    split(at: range.start)
    let first = firstIndex(endingAfter: range.start)
    var last = first
    let cuts = areas.count - before
    while last < areas.count, areas[last].range.start < range.end {
      change(&areas[last])
      last += 1
    }
    guard first < last else { return 0 }
    return last - first + cuts + mergeNeighbours(first, last)
  }

  /// Cuts the area that holds the addresses on both sides of `edge`.
  /// - Returns: whether there is such an area.
  @discardableResult private mutating func split(at edge: VirtualAddress) -> Bool {
    let index = firstIndex(endingAfter: edge)
    guard index < areas.count, areas[index].range.start < edge else { return false }
    let whole = areas[index]
    areas[index] = whole.cut(to: VirtualRange(whole.range.start, edge))
    areas.insert(whole.cut(to: VirtualRange(edge, whole.range.end)), at: index + 1)
    return true
  }

  /// Merges what is alike from the area before `first` to the one at `last`, in one pass.
  /// - Returns: how many areas went.
  private mutating func mergeNeighbours(_ first: Int, _ last: Int) -> Int {
    var kept = max(first - 1, 0)
    let end = min(last + 1, areas.count)
    for next in kept + 1..<max(end, kept + 1) {
      if areas[kept].joins(areas[next]) {
        absorb(areas[next], into: kept)
      } else {
        kept += 1
        if kept != next { areas[kept] = areas[next] }
      }
    }
    if kept + 1 < end { areas.removeSubrange(kept + 1..<end) }
    lastHit = first < areas.count ? first : 0
    return max(0, end - kept - 1)
  }

  private mutating func absorb(_ next: VMA, into index: Int) {
    let area = areas[index]
    if area.group != next.group {
      let isNew = area.group == 0
      groupGains.append(
        GroupGain(
          group: isNew ? next.group : area.group, pages: isNew ? area.range.pages : next.range.pages))
      areas[index].group = area.group | next.group
    }
    areas[index].range.end = next.range.end
    areas[index].flags.formUnion(next.flags.intersection(VMA.pageMarks))
  }

  /// How many more areas there would be if they were split at both edges of `range`.
  public func splits(at range: VirtualRange) -> Int {
    [range.start, range.end].reduce(0) { count, edge in
      let index = firstIndex(endingAfter: edge)
      return index < areas.count && areas[index].range.start < edge ? count + 1 : count
    }
  }

  /// Merges the area at `index` with its neighbours.
  private mutating func mergeAround(_ index: Int) -> Int {
    var index = index
    var merged = 0
    if index + 1 < areas.count, areas[index].joins(areas[index + 1]) {
      absorbNext(index)
      merged += 1
    }
    if index > 0, areas[index - 1].joins(areas[index]) {
      index -= 1
      absorbNext(index)
      merged += 1
    }
    lastHit = index
    return merged
  }

  private mutating func absorbNext(_ index: Int) {
    absorb(areas[index + 1], into: index)
    areas.remove(at: index + 1)
  }
}

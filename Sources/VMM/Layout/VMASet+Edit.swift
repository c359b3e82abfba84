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
    let first = firstIndex(endingAfter: range.start)
    var last = first
    while last < areas.count, areas[last].range.start < range.end { last += 1 }
    guard first < last else { return [] }
    let removed = areas[first..<last].map { $0.cut(to: range) }
    var kept: [VMA] = []
    if areas[first].range.start < range.start {
      kept.append(areas[first].cut(to: VirtualRange(areas[first].range.start, range.start)))
    }
    if areas[last - 1].range.end > range.end {
      kept.append(areas[last - 1].cut(to: VirtualRange(range.end, areas[last - 1].range.end)))
    }
    areas.replaceSubrange(first..<last, with: kept)
    return removed
  }

  /// Changes all of the mapped parts of `range`; areas are split at its edges first and merged afterwards.
  /// - Returns: how many areas were touched.
  @discardableResult
  public mutating func update(_ range: VirtualRange, _ change: (inout VMA) -> Void) -> Int {
    let pieces = remove(range)
    for piece in pieces {
      var changed = piece
      change(&changed)
      insert(changed)
    }
    return pieces.count
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
    let next = areas[index + 1]
    areas[index].range.end = next.range.end
    areas[index].flags.formUnion(next.flags.intersection(VMA.pageMarks))
    areas.remove(at: index + 1)
  }
}

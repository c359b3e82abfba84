// SPDX-License-Identifier: MIT
internal import SimMemory

/// A set of addresses as ordered, disjoint ranges.
struct AddressRanges: Sendable {
  private(set) var ranges: [VirtualRange] = []

  /// Whether `address` is in the set.
  func contains(_ address: VirtualAddress) -> Bool {
    let index = firstIndex(endingAfter: address)
    return index < ranges.count && ranges[index].start <= address
  }

  /// Adds every address of `range`.
  mutating func insert(_ range: VirtualRange) {
    guard !range.isEmpty else { return }
    var merged = range
    var first = firstIndex(endingAfter: range.start)
    if first > 0, ranges[first - 1].end == range.start { first -= 1 }
    var last = first
    while last < ranges.count, ranges[last].start <= range.end {
      merged = VirtualRange(min(merged.start, ranges[last].start), max(merged.end, ranges[last].end))
      last += 1
    }
    ranges.replaceSubrange(first..<last, with: [merged])
  }

  /// Takes every address of `range` out.
  mutating func remove(_ range: VirtualRange) {
    guard !range.isEmpty else { return }
    let first = firstIndex(endingAfter: range.start)
    var last = first
    var kept: [VirtualRange] = []
    while last < ranges.count, ranges[last].start < range.end {
      if ranges[last].start < range.start { kept.append(VirtualRange(ranges[last].start, range.start)) }
      if ranges[last].end > range.end { kept.append(VirtualRange(range.end, ranges[last].end)) }
      last += 1
    }
    ranges.replaceSubrange(first..<last, with: kept)
  }

  /// The parts of `range` that are not in the set.
  func gaps(in range: VirtualRange) -> [VirtualRange] {
    var gaps: [VirtualRange] = []
    var next = range.start
    var index = firstIndex(endingAfter: range.start)
    while index < ranges.count, ranges[index].start < range.end {
      if ranges[index].start > next { gaps.append(VirtualRange(next, ranges[index].start)) }
      next = ranges[index].end
      index += 1
    }
    if next < range.end { gaps.append(VirtualRange(next, range.end)) }
    return gaps
  }

  private func firstIndex(endingAfter address: VirtualAddress) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// Pages that came to a group of private pages because an area without a group was merged with one that has it.
@frozen @usableFromInline struct GroupGain: Sendable, BitwiseCopyable {
  @usableFromInline var group: UInt32
  @usableFromInline var pages: UInt64
}

/// The mappings of one address space: ordered, disjoint, merged where neighbours are alike.
///
/// A sorted array with a last-hit cache: look-ups are O(1) for repeated areas and O(log n) else, changes O(n) moves of
/// plain data, which is fast up to the map count limit (65,530).
@frozen public struct VMASet: Sendable {
  /// All areas by address.
  public var areas: ContiguousArray<VMA> = []
  @usableFromInline var lastHit = 0
  /// What merging added to groups of private pages since the kernel looked at this last.
  @usableFromInline var groupGains: ContiguousArray<GroupGain> = []

  /// The most areas an address space can have (Linux: `vm.max_map_count`).
  public static var maximumCount: Int { 65_530 }

  /// No mappings.
  public init() {}

  /// The index of the area that holds `address`.
  @inlinable public mutating func index(of address: VirtualAddress) -> Int? {
    lastIndex(of: address) ?? search(for: address)
  }

  /// The index of the area that was found last, if it holds `address`.
  @inlinable public func lastIndex(of address: VirtualAddress) -> Int? {
    lastHit < areas.count && areas[lastHit].range.contains(address) ? lastHit : nil
  }

  /// The index of the area that holds `address`, searched for among all. O(log n), `searchSteps` steps.
  @inlinable public mutating func search(for address: VirtualAddress) -> Int? {
    let candidate = firstIndex(endingAfter: address)
    guard candidate < areas.count, areas[candidate].range.start <= address else { return nil }
    lastHit = candidate
    return candidate
  }

  /// Steps of a search.
  @inlinable public var searchSteps: UInt64 { UInt64(Int.bitWidth &- areas.count.leadingZeroBitCount) }

  /// Areas behind the one that was found or changed last: what an insertion or a removal there moves.
  @inlinable public var areasBehindLast: UInt64 { UInt64(max(0, areas.count &- lastHit &- 1)) }

  /// The area that holds `address`.
  @inlinable public mutating func area(at address: VirtualAddress) -> VMA? {
    index(of: address).map { areas[$0] }
  }

  /// The index of the first area that ends behind `address`: the one that holds it or the next one up.
  @inlinable public func firstIndex(endingAfter address: VirtualAddress) -> Int {
    var low = 0
    var high = areas.count
    while low < high {
      let middle = (low &+ high) &>> 1
      if areas[middle].range.end <= address { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  /// The areas that share an address with `range`, whole.
  public func overlapping(_ range: VirtualRange) -> ArraySlice<VMA> {
    // Nothing is not part of an area, not even where it lies inside of one.
    guard !range.isEmpty else { return [] }
    let first = firstIndex(endingAfter: range.start)
    var last = first
    while last < areas.count, areas[last].range.start < range.end { last += 1 }
    return ArraySlice(areas[first..<last])
  }

  /// Whether every address of `range` is mapped.
  public func covers(_ range: VirtualRange) -> Bool { firstHole(in: range) == nil }

  /// The first unmapped address in `range`.
  public func firstHole(in range: VirtualRange) -> VirtualAddress? {
    var next = range.start
    var index = firstIndex(endingAfter: next)
    while next < range.end {
      guard index < areas.count, areas[index].range.start <= next else { return next }
      next = areas[index].range.end
      index += 1
    }
    return nil
  }

  /// The unmapped parts of `range`, in order.
  public func holes(in range: VirtualRange) -> [VirtualRange] {
    var holes: [VirtualRange] = []
    var next = range.start
    for area in overlapping(range) {
      if area.range.start > next { holes.append(VirtualRange(next, area.range.start)) }
      next = Swift.max(next, area.range.end)
    }
    if next < range.end { holes.append(VirtualRange(next, range.end)) }
    return holes
  }
}

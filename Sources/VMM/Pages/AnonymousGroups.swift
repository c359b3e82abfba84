// SPDX-License-Identifier: MIT

/// The groups of private pages, by number: an area gets a group with its first private page, and a forked child's areas
/// inherit it, so that parent and child look for shared pages in the same place.
public struct AnonymousGroups: Sendable {
  private var groups: ContiguousArray<Mappers> = [Mappers()]
  private var free: [UInt32] = []

  /// The most groups there can be: what fits into a page's key.
  public static var maximumCount: Int { 1 << 23 - 1 }

  /// No groups.
  public init() {}

  /// How many groups are in use.
  public var count: Int { groups.count - 1 - free.count }

  /// The spaces that may hold pages of `group`.
  public subscript(group: UInt32) -> Mappers { groups[Int(group)] }

  /// A new group, without spaces yet; nil when all numbers are in use.
  mutating func make() -> UInt32? {
    if let recycled = free.popLast() { return recycled }
    guard groups.count <= AnonymousGroups.maximumCount else { return nil }
    groups.append(Mappers())
    return UInt32(groups.count - 1)
  }

  /// See `Mappers.add`.
  mutating func add(_ group: UInt32, _ space: UInt16, pages: UInt64, origin: UInt64) {
    groups[Int(group)].add(space, pages: pages, origin: origin)
  }

  /// See `Mappers.remove`. A group without areas has no pages, so its number can be used again.
  mutating func remove(_ group: UInt32, _ space: UInt16, pages: UInt64) {
    groups[Int(group)].remove(space, pages: pages)
    if groups[Int(group)].members.isEmpty { free.append(group) }
  }

  /// See `Mappers.setOrigin`.
  mutating func setOrigin(_ origin: UInt64, of group: UInt32, at index: Int) {
    groups[Int(group)].setOrigin(origin, at: index)
  }
}

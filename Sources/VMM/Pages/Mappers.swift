// SPDX-License-Identifier: MIT

/// The address spaces whose areas may map pages of one group or file.
///
/// A space is in while it has areas of that kind, counted in pages: a count that splitting and merging areas does not
/// change. Each space also remembers where its areas were seen last, so that most look-ups search no area.
@frozen public struct Mappers: Sendable {
  /// One address space.
  @frozen public struct Member: Sendable, BitwiseCopyable {
    /// The space's number.
    public var space: UInt16
    /// Pages of its areas of this kind.
    public var pages: UInt64
    /// The address that page 0 would have, in the area that was seen last; wraps.
    public var origin: UInt64

    /// A member.
    @inlinable public init(space: UInt16, pages: UInt64, origin: UInt64) {
      self.space = space
      self.pages = pages
      self.origin = origin
    }
  }

  /// The spaces, in the order in which they came.
  public private(set) var members: ContiguousArray<Member> = []

  /// Nobody.
  public init() {}

  /// `pages` more pages of areas in `space`; an area of theirs would have page 0 at `origin`.
  public mutating func add(_ space: UInt16, pages: UInt64, origin: UInt64) {
    if let index = members.firstIndex(where: { $0.space == space }) {
      members[index].pages += pages
    } else {
      members.append(Member(space: space, pages: pages, origin: origin))
    }
  }

  /// `pages` pages of areas in `space` less.
  public mutating func remove(_ space: UInt16, pages: UInt64) {
    guard let index = members.firstIndex(where: { $0.space == space }) else {
      preconditionFailure("an address space gives up areas that it does not have")
    }
    precondition(members[index].pages >= pages, "an address space gives up more pages of areas than it has")
    members[index].pages -= pages
    if members[index].pages == 0 { members.remove(at: index) }
  }

  /// Remembers where the areas of the member at `index` were seen.
  public mutating func setOrigin(_ origin: UInt64, at index: Int) { members[index].origin = origin }
}

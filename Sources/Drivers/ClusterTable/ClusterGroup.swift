// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// Consecutive entries of one cluster, as of one moment: what range operations work on.
///
/// Base pages come as many as the cluster and the range share, mapped or not; larger pages one by one, because each of
/// them may be in conflict with smaller ones.
@frozen public struct ClusterGroup {
  /// The first page.
  public var start: VirtualAddress
  /// The size of all pages.
  public var size: PageSize
  /// How many pages.
  public var count: Int
  /// The mappings; zero for a page that is not mapped, and behind `count`.
  public var words = InlineArray<8, UInt64>(repeating: 0)
  /// Where the first entry was in the move generation `generation`. Zero: not known.
  public var location: UInt64 = 0
  /// When the location was right.
  public var generation: UInt64 = 0

  /// Pages that are not mapped yet.
  @inlinable public init(_ start: VirtualAddress, _ size: PageSize, count: Int) {
    (self.start, self.size, self.count) = (start, size, count)
  }

  /// One page with `mapping`, where `object` is.
  @inlinable public init(_ object: X86Object, mapping: UInt64) {
    self.init(object.start, object.size, count: 1)
    words[0] = mapping
    (location, generation) = (object.location, object.generation)
  }

  /// The page at `index`.
  @inlinable public func object(_ index: Int) -> X86Object {
    X86Object(
      start.advanced(by: UInt64(truncatingIfNeeded: index) &<< UInt64(size.shift)), size,
      entry: X86Entry(words[index]))
  }

  /// `count` pages from `first` on, wherever they are.
  @inlinable public func part(from first: Int, count: Int) -> ClusterGroup {
    var part = ClusterGroup(object(first).start, size, count: count)
    for index in 0..<count { part.words[index] = words[first &+ index] }
    return part
  }

  /// The span of all pages.
  @inlinable public var span: VirtualRange {
    VirtualRange(start, bytes: UInt64(truncatingIfNeeded: count) &<< UInt64(size.shift))
  }

  /// The indices of mapped pages.
  @inlinable public var mapped: LazyFilterSequence<Range<Int>> {
    (0..<count).lazy.filter { [words] in words[$0] != 0 }
  }

  /// Adds the flushes that a change of all these pages owes.
  @inlinable public func owe(_ flushed: inout FlushSpan) {
    for index in 0..<count where X86Entry(words[index]).isResident {
      flushed.add(page: object(index).start, size)
    }
  }
}

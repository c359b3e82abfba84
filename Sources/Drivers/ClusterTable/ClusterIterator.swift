// SPDX-License-Identifier: MIT
public import EMTCore
public import EntryFormats
public import SimMemory
public import X86Object

/// A position in a range, and the cluster that it was in last.
@frozen public struct ClusterIterator: TranslationIterator {
  /// The next address to look at.
  public var position: VirtualAddress
  /// Where the iteration ends.
  public let end: VirtualAddress
  /// The cluster that holds base page `page` and its seven neighbours, as of `generation`.
  @usableFromInline var slot = PhysicalAddress(0)
  @usableFromInline var page: UInt64 = 0
  @usableFromInline var generation: UInt64 = 0

  /// Starts at the start of `range`.
  @inlinable public init(over range: VirtualRange) {
    position = range.start
    end = range.end
  }

  /// Moves on to `next`; an object at the top of the address space ends at zero, behind everything.
  @inlinable mutating func advance(to next: VirtualAddress) {
    position = next.raw == 0 || next > end ? end : next
  }
}

extension ClusterTable {
  /// Customizable 3. One load inside a cluster that did not move, else a search.
  @inlinable public func next(_ iterator: inout ClusterIterator) -> X86Object {
    context.meter.count(.iteratorStep)
    let start = iterator.position
    if iterator.generation == context.generation, (start.pageNumber ^ iterator.page) &>> 3 == 0 {
      let location = iterator.slot.advanced(by: ClusterFormat.entryOffset(start, 0))
      let raw = memory.loadAcquire(location)
      if iterator.generation == context.generation {
        iterator.advance(to: start.advanced(by: PageSize.base.bytes))
        return X86Object(
          start, .base, entry: X86Entry(raw), location: location.raw, generation: iterator.generation)
      }
    }
    let object = find(start)
    if object.size == .base, object.location != 0 {
      iterator.slot = PhysicalAddress(object.location & ~(ClusterFormat.bytes &- 1))
      iterator.page = start.pageNumber
      iterator.generation = object.generation
    }
    iterator.advance(to: object.end)
    return object
  }
}

// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

extension TranslationIteration {
  /// Default: the cursor at the range's start.
  @inlinable public func makeIterator(over range: VirtualRange) -> Iterator { Iterator(over: range) }

  /// Default: whether the cursor is before the end.
  @inlinable public func hasNext(_ iterator: Iterator) -> Bool { iterator.position < iterator.end }

  /// Default: finds at the cursor and moves on to the object's end.
  @inlinable public func next(_ iterator: inout Iterator) -> Object {
    let object = find(iterator.position)
    context.meter.count(.iteratorStep)
    iterator.position = boundedEnd(of: object, in: iterator)
    return object
  }

  /// Default: moves the cursor.
  @inlinable public func skip(_ iterator: inout Iterator, pages: UInt64) {
    let left = (iterator.end.raw &- iterator.position.raw) &>> UInt64(PageSize.baseShift)
    iterator.position =
      pages >= left
      ? iterator.end
      : iterator.position.advanced(by: pages &<< UInt64(PageSize.baseShift))
  }

  /// Default: `next` until an object is mapped.
  @inlinable public func nextMapped(_ iterator: inout Iterator) -> Object? {
    while hasNext(iterator) {
      let object = next(&iterator)
      if object.isMapped { return object }
    }
    return nil
  }

  /// Default: nothing to give up.
  @inlinable public func endIteration(_ iterator: consuming Iterator) {}

  /// The end of `object`, or the iteration's end if that comes first; an object at the top of the address space ends
  /// at zero, which counts as behind everything.
  @inlinable func boundedEnd(of object: Object, in iterator: Iterator) -> VirtualAddress {
    let isLate = Mutation.iterationSkipsAfterVoid.isPlanted && !object.isMapped && object.end > object.start
    let end = isLate ? object.end.advanced(by: PageSize.base.bytes) : object.end
    return end.raw == 0 || end > iterator.end ? iterator.end : end
  }
}

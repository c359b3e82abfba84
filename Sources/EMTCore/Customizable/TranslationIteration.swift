// SPDX-License-Identifier: MIT
public import SimMemory

/// A position in a range that an iteration has reached.
///
/// A driver's own iterator adds what saves it a search. It checks that against the context's move generation, because
/// an insertion during the iteration may move entries.
public protocol TranslationIterator: Sendable, BitwiseCopyable {
  /// An iteration that starts at the start of `range`.
  init(over range: VirtualRange)
  /// The next address to look at.
  var position: VirtualAddress { get set }
  /// Where the iteration ends.
  var end: VirtualAddress { get }
}

/// The neutral iterator: nothing but a cursor.
@frozen public struct RangeIterator: TranslationIterator {
  /// The next address to look at.
  public var position: VirtualAddress
  /// Where the iteration ends.
  public let end: VirtualAddress
  /// Starts at the start of `range`.
  @inlinable public init(over range: VirtualRange) {
    position = range.start
    end = range.end
  }
}

/// Customizable functions 1–6: iteration over the objects of a range, never over a table's inner nodes.
/// EMT paper: `tobj_iter_*`.
public protocol TranslationIteration: TranslationDatabaseBasics {
  /// The driver's iterator.
  associatedtype Iterator: TranslationIterator = RangeIterator

  /// Customizable 1: an iterator at the start of `range`, which is aligned to base pages.
  func makeIterator(over range: VirtualRange) -> Iterator

  /// Customizable 2: whether there is another object.
  func hasNext(_ iterator: Iterator) -> Bool

  /// Customizable 3: the object at the iterator's position, mapped or not; the iterator moves behind it.
  ///
  /// The object may begin before the range or end behind it.
  func next(_ iterator: inout Iterator) -> Object

  /// Customizable 4: moves `pages` base pages on without looking, at most to the end.
  func skip(_ iterator: inout Iterator, pages: UInt64)

  /// Customizable 5: the next mapped object; voids are jumped by their size. Nil at the end.
  func nextMapped(_ iterator: inout Iterator) -> Object?

  /// Customizable 6: gives up what the iterator holds.
  func endIteration(_ iterator: consuming Iterator)
}

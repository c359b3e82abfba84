// SPDX-License-Identifier: MIT
public import EMTCore
public import SimMemory
public import Synchronization

/// The mapped objects of one address space in order of address: the whole truth of the model.
///
/// A sorted list, cut into pieces of at most 128 objects so that an insertion moves little; no piece is empty.
@usableFromInline final class ModelTable<Object: TranslationObject>: Sendable {
  @usableFromInline let pieces = Mutex<[[Object]]>([])

  @inlinable init() {}

  /// All mapped objects that touch `range`, in order.
  @inlinable func objects(touching range: VirtualRange) -> [Object] {
    let last = range.end.raw &- 1
    return pieces.withLock { pieces in
      var (piece, index) = ModelTable.place(pieces, endingAfter: range.start)
      var found: [Object] = []
      while piece < pieces.count {
        while index < pieces[piece].count {
          guard pieces[piece][index].start.raw <= last else { return found }
          found.append(pieces[piece][index])
          index += 1
        }
        (piece, index) = (piece + 1, 0)
      }
      return found
    }
  }

  /// The first mapped object whose last byte is not below `address`.
  @inlinable func first(endingAfter address: VirtualAddress) -> Object? {
    pieces.withLock { pieces in
      let (piece, index) = ModelTable.place(pieces, endingAfter: address)
      return piece < pieces.count ? pieces[piece][index] : nil
    }
  }

  /// The mapped object that holds `address`.
  @inlinable func object(at address: VirtualAddress) -> Object? {
    guard let object = first(endingAfter: address), object.start <= address else { return nil }
    return object
  }

  /// Where the object below a void `address` ends, and where the one above it starts.
  @inlinable func gap(around address: VirtualAddress) -> (low: VirtualAddress, high: VirtualAddress?) {
    pieces.withLock { pieces in
      let (piece, index) = ModelTable.place(pieces, endingAfter: address)
      let high = piece < pieces.count ? pieces[piece][index].start : nil
      if piece < pieces.count, index > 0 { return (pieces[piece][index - 1].end, high) }
      return (piece == 0 ? VirtualAddress(0) : pieces[piece - 1][pieces[piece - 1].count - 1].end, high)
    }
  }

  /// Puts `object` in the place of the one with its start, or between its neighbours.
  @inlinable func put(_ object: Object) {
    pieces.withLock { pieces in
      var (piece, index) = ModelTable.place(pieces, endingAfter: object.start)
      if piece < pieces.count, pieces[piece][index].start == object.start {
        pieces[piece][index] = object
        return
      }
      if piece == pieces.count {
        guard piece > 0 else { return pieces.append([object]) }
        piece -= 1
        index = pieces[piece].count
      }
      pieces[piece].insert(object, at: index)
      guard pieces[piece].count > 128 else { return }
      let upper = Array(pieces[piece][64...])
      pieces[piece].removeSubrange(64...)
      pieces.insert(upper, at: piece + 1)
    }
  }

  /// Removes the object that starts at `start`.
  @inlinable func take(_ start: VirtualAddress) {
    pieces.withLock { pieces in
      let (piece, index) = ModelTable.place(pieces, endingAfter: start)
      guard piece < pieces.count, pieces[piece][index].start == start else { return }
      pieces[piece].remove(at: index)
      if pieces[piece].isEmpty { pieces.remove(at: piece) }
    }
  }

  /// Removes everything.
  @inlinable func empty() { pieces.withLock { $0 = [] } }

  /// Where the first object is whose last byte is not below `address`.
  @inlinable static func place(
    _ pieces: [[Object]], endingAfter address: VirtualAddress
  ) -> (piece: Int, index: Int) {
    var (low, high) = (0, pieces.count)
    while low < high {
      let middle = (low + high) / 2
      let isBelow = ends(pieces[middle][pieces[middle].count - 1], below: address)
      if isBelow { low = middle + 1 } else { high = middle }
    }
    guard low < pieces.count else { return (low, 0) }
    let piece = low
    (low, high) = (0, pieces[piece].count)
    while low < high {
      let middle = (low + high) / 2
      if ends(pieces[piece][middle], below: address) { low = middle + 1 } else { high = middle }
    }
    return (piece, low)
  }

  @inlinable static func ends(_ object: Object, below address: VirtualAddress) -> Bool {
    object.start.raw &+ object.size.mask < address.raw
  }
}

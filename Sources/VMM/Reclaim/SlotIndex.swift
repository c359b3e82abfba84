// SPDX-License-Identifier: MIT

/// A sparse array of words in chunks of 512; zero is nothing.
public struct SlotIndex: Sendable {
  private var chunks: ContiguousArray<ContiguousArray<UInt64>> = []
  /// How many words are not zero.
  public private(set) var count = 0

  /// Nothing.
  public init() {}

  /// The word at `position`.
  public subscript(position: UInt64) -> UInt64 {
    get {
      let (chunk, slot) = (Int(position / 512), Int(position % 512))
      return chunk < chunks.count && !chunks[chunk].isEmpty ? chunks[chunk][slot] : 0
    }
    set {
      let (chunk, slot) = (Int(position / 512), Int(position % 512))
      if chunk >= chunks.count {
        if newValue == 0 { return }
        chunks.append(contentsOf: repeatElement([], count: chunk + 1 - chunks.count))
      }
      if chunks[chunk].isEmpty {
        if newValue == 0 { return }
        chunks[chunk] = ContiguousArray(repeating: 0, count: 512)
      }
      count += (newValue == 0 ? 0 : 1) - (chunks[chunk][slot] == 0 ? 0 : 1)
      chunks[chunk][slot] = newValue
    }
  }

  /// The positions in `positions` that hold something, in order.
  public func positions(in positions: Range<UInt64>) -> [UInt64] {
    guard count > 0 else { return [] }
    var found: [UInt64] = []
    var position = positions.lowerBound
    let end = Swift.min(positions.upperBound, UInt64(chunks.count) * 512)
    while position < end {
      if chunks[Int(position / 512)].isEmpty {
        position = (position / 512 + 1) * 512
      } else {
        if self[position] != 0 { found.append(position) }
        position += 1
      }
    }
    return found
  }
}

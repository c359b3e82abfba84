// SPDX-License-Identifier: MIT

/// Page contents as the models keep them: the bytes that are not zero, ordered by their offset in the page.
public struct ModelContents: Sendable, Equatable {
  /// Offset times 256 plus value.
  private var bytes: ContiguousArray<UInt32> = []

  /// All zero.
  public init() {}

  /// Whether all bytes are zero.
  public var isEmpty: Bool { bytes.isEmpty }
  /// How many bytes are not zero.
  public var count: Int { bytes.count }

  /// The byte that is not zero with a rank from 0 on.
  public func byte(_ rank: Int) -> (offset: UInt16, value: UInt8) {
    (UInt16(truncatingIfNeeded: bytes[rank] >> 8), UInt8(truncatingIfNeeded: bytes[rank]))
  }

  /// The byte at an offset.
  public subscript(offset: UInt16) -> UInt8 {
    get {
      let rank = rank(of: offset)
      guard rank < bytes.count, bytes[rank] >> 8 == offset else { return 0 }
      return UInt8(truncatingIfNeeded: bytes[rank])
    }
    set {
      let rank = rank(of: offset)
      let isKnown = rank < bytes.count && bytes[rank] >> 8 == offset
      switch (newValue == 0, isKnown) {
      case (true, true): bytes.remove(at: rank)
      case (true, false): break
      case (false, true): bytes[rank] = UInt32(offset) << 8 | UInt32(newValue)
      case (false, false): bytes.insert(UInt32(offset) << 8 | UInt32(newValue), at: rank)
      }
    }
  }

  /// How many known bytes lie before an offset.
  private func rank(of offset: UInt16) -> Int {
    var (low, high) = (0, bytes.count)
    while low < high {
      let middle = (low + high) / 2
      if bytes[middle] >> 8 < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

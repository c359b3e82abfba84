// SPDX-License-Identifier: MIT
public import SimMemory

/// A list of pieces of memory, as `struct iovec` arrays describe them.
public struct IOVector: Sendable, Equatable {
  /// The pieces in order; empty ones are left out.
  public private(set) var pieces: [VirtualRange] = []

  /// No pieces.
  public init() {}

  /// One piece.
  public init(_ piece: VirtualRange) { append(piece.start, bytes: piece.bytes) }

  /// Bytes of all pieces.
  public var bytes: UInt64 { pieces.reduce(0) { $0 + $1.bytes } }

  /// The most pieces (Linux: UIO_MAXIOV).
  public static var maximumCount: UInt64 { 1024 }
  /// The most bytes that one call moves (Linux: MAX_RW_COUNT).
  public static var maximumBytes: UInt64 { 0x7FFF_F000 }

  /// Adds a piece.
  @usableFromInline mutating func append(_ start: VirtualAddress, bytes: UInt64) {
    if bytes > 0 { pieces.append(VirtualRange(start, bytes: bytes)) }
  }

  /// Takes `count` bytes off the front.
  @usableFromInline mutating func drop(_ count: UInt64) {
    var rest = count
    var index = 0
    while index < pieces.count, rest >= pieces[index].bytes {
      rest -= pieces[index].bytes
      index += 1
    }
    pieces.removeFirst(index)
    if rest > 0 { pieces[0].start = pieces[0].start.advanced(by: rest) }
  }

  /// Bytes at the front that lie in one base page; none when nothing is left.
  @usableFromInline var front: VirtualRange? {
    guard let first = pieces.first else { return nil }
    let border = first.start.aligned(down: .base).advanced(by: PageSize.base.bytes)
    return VirtualRange(first.start, Swift.min(first.end, border))
  }
}

// SPDX-License-Identifier: MIT

/// A byte address in simulated physical memory.
@frozen public struct PhysicalAddress: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The address in bytes from the start of physical memory.
  public var raw: UInt64

  /// Wraps a byte address.
  @inlinable public init(_ raw: UInt64) { self.raw = raw }

  /// The 4 KiB frame that holds the address.
  @inlinable public var frame: FrameNumber { FrameNumber(raw &>> UInt64(PageSize.baseShift)) }

  /// The address `bytes` further on.
  @inlinable public func advanced(by bytes: UInt64) -> Self { Self(raw &+ bytes) }

  /// Byte order.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

extension PhysicalAddress: CustomStringConvertible {
  /// Hexadecimal with `0x`.
  public var description: String { "0x" + String(raw, radix: 16) }
}

/// The number of a 4 KiB frame of simulated physical memory.
///
/// Frame 0 is never handed out, so zero can stand for "none" in table entries.
@frozen public struct FrameNumber: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Frames from the start of physical memory.
  public var raw: UInt64

  /// Wraps a frame number.
  @inlinable public init(_ raw: UInt64) { self.raw = raw }

  /// The address of the frame's first byte.
  @inlinable public var address: PhysicalAddress { PhysicalAddress(raw &<< UInt64(PageSize.baseShift)) }

  /// The frame `frames` further on.
  @inlinable public func advanced(by frames: UInt64) -> Self { Self(raw &+ frames) }

  /// Order of position in memory.
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.raw < b.raw }
}

extension FrameNumber: CustomStringConvertible {
  /// The number in decimal.
  public var description: String { "frame \(raw)" }
}

// SPDX-License-Identifier: MIT
public import EMTCore

/// What is known of one page of an address space, in the bits of Linux's `/proc/PID/pagemap`.
@frozen public struct PageMapEntry: Sendable, Hashable, BitwiseCopyable {
  /// The bits.
  public var rawValue: UInt64

  /// Nothing is there.
  @inlinable public init() { rawValue = 0 }

  /// In memory.
  @inlinable public var isPresent: Bool { rawValue >> 63 & 1 == 1 }
  /// In swap, or a guard.
  @inlinable public var isSwapped: Bool { rawValue >> 62 & 1 == 1 }
  /// A page of a file or of shared memory.
  @inlinable public var isFilePage: Bool { rawValue >> 61 & 1 == 1 }
  /// A guard page.
  @inlinable public var isGuard: Bool { rawValue >> 58 & 1 == 1 }
  /// Write-protected on behalf of a userfaultfd.
  @inlinable public var isUserfaultProtected: Bool { rawValue >> 57 & 1 == 1 }
  /// Mapped once.
  @inlinable public var isExclusive: Bool { rawValue >> 56 & 1 == 1 }
  /// Written, or mapped anew, since soft-dirty bits were cleared.
  @inlinable public var isSoftDirty: Bool { rawValue >> 55 & 1 == 1 }
  /// The frame's number of a page in memory.
  @inlinable public var frame: UInt64 { rawValue & (1 << 55 - 1) }

  @inlinable mutating func set(_ bit: UInt64) { rawValue |= 1 << bit }
  /// Where a page in swap is: area in five bits, slot above.
  @inlinable mutating func setSlot(_ entry: SwapEntry) {
    rawValue |= UInt64(entry.area) | entry.offset & (1 << 50 - 1) << 5
  }
}

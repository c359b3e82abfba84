// SPDX-License-Identifier: MIT

/// What the memory manager notes of a frame that holds page contents, in the frame table's 16 bits for the owner.
@frozen public struct PageFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The frame table's bits.
  public let rawValue: UInt16
  /// Wraps the frame table's bits.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// A private page, not one of a file.
  @inlinable public static var anonymous: Self { Self(rawValue: 1 << 0) }
  /// On an active list.
  @inlinable public static var active: Self { Self(rawValue: 1 << 1) }
  /// Was found in use when reclaim looked at it last.
  @inlinable public static var referenced: Self { Self(rawValue: 1 << 2) }
  /// Its contents differ from what storage holds.
  @inlinable public static var dirty: Self { Self(rawValue: 1 << 3) }
  /// A swap slot leads to it.
  @inlinable public static var inSwapCache: Self { Self(rawValue: 1 << 4) }
  /// Reclaim found it in a locked area: it stays in memory.
  @inlinable public static var mlocked: Self { Self(rawValue: 1 << 5) }
  /// On one of the page lists.
  @inlinable public static var onList: Self { Self(rawValue: 1 << 6) }
  /// The first frame of a huge page.
  @inlinable public static var hugeHead: Self { Self(rawValue: 1 << 7) }
  /// The first frame of a block whose frames are counted one by one.
  @inlinable public static var blockIsCut: Self { Self(rawValue: 1 << 8) }
  /// May be dropped instead of swapped while nobody writes it (MADV_FREE).
  @inlinable public static var lazilyFreed: Self { Self(rawValue: 1 << 9) }
  /// Equal pages of several areas were merged into it: nobody may write it (see `SamePages`).
  @inlinable public static var merged: Self { Self(rawValue: 1 << 12) }
  /// The two bits that hold the number of its list among those of its type.
  @inlinable public static var slotMask: Self { Self(rawValue: 3 << 10) }
}

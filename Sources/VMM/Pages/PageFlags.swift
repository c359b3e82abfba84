// SPDX-License-Identifier: MIT
public import SimMemory

/// What the memory manager notes about a frame that holds page contents, in the frame table's bits.
@frozen public struct PageFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits as the frame table holds them.
  public let rawValue: UInt16
  /// Wraps the frame table's bits.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// The contents belong to no file.
  @inlinable public static var anonymous: Self { Self(rawValue: 1 << 0) }
  /// On the list of pages that were used lately.
  @inlinable public static var active: Self { Self(rawValue: 1 << 1) }
  /// Used since the list was last looked at.
  @inlinable public static var referenced: Self { Self(rawValue: 1 << 2) }
  /// Differs from what storage has.
  @inlinable public static var dirty: Self { Self(rawValue: 1 << 3) }
  /// The swap cache holds it.
  @inlinable public static var inSwapCache: Self { Self(rawValue: 1 << 4) }
  /// Locked into memory: never reclaimed.
  @inlinable public static var mlocked: Self { Self(rawValue: 1 << 5) }
  /// Linked into one of the lists.
  @inlinable public static var onList: Self { Self(rawValue: 1 << 6) }
  /// The first frame of a huge page's block.
  @inlinable public static var hugeHead: Self { Self(rawValue: 1 << 7) }
  /// The first frame of a block whose frames are counted one by one.
  @inlinable public static var blockIsCut: Self { Self(rawValue: 1 << 8) }
}

extension FrameTable {
  /// What the memory manager noted about a frame of contents.
  @inlinable func pageFlags(_ frame: FrameNumber) -> PageFlags { PageFlags(rawValue: flags(frame)) }

  /// Replaces what the memory manager noted about a frame of contents.
  @inlinable func setPageFlags(_ flags: PageFlags, _ frame: FrameNumber) { setFlags(flags.rawValue, frame) }
}

// SPDX-License-Identifier: MIT
public import Synchronization

/// What is kept for every frame: 32 bytes, flat, and sparse because untouched records cost nothing.
///
/// The first four fields are the allocator's. The rest belongs to whoever holds the frame.
@usableFromInline struct FrameInfo: ~Copyable {
  /// Neighbours in the free list of the frame's order, or the owner's list while the frame is allocated.
  @usableFromInline var next: UInt32
  @usableFromInline var previous: UInt32
  /// Buddy order of the block that starts here.
  @usableFromInline var order: UInt8
  /// `FrameState` as a raw value.
  @usableFromInline var state: UInt8
  /// Bits of the owner.
  @usableFromInline let flags: Atomic<UInt16>
  /// How many hold the frame: page tables, page cache and the like.
  @usableFromInline let references: Atomic<UInt32>
  /// How many page-table entries map the frame.
  @usableFromInline let mappings: Atomic<UInt32>
  /// 1 when the frame's bytes may be other than zero, as far as its holders have said, else 0.
  @usableFromInline var wasUsed: UInt8
  /// A lock for tables, a reverse-map key for contents: the owner's choice.
  @usableFromInline let word: Atomic<UInt64>
}

/// What the allocator knows of a frame.
@usableFromInline enum FrameState: UInt8 {
  /// Never used since the arena was made, and not the head of a free block.
  case untouched = 0
  /// Head of a free block.
  case free = 1
  /// Handed out.
  case allocated = 2
  /// In the cache of single frames.
  case cached = 3
  /// Was used before and is not a head now.
  case merged = 4
}

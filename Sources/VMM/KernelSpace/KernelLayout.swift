// SPDX-License-Identifier: MIT
public import SimMemory

/// Where the kernel's own mappings are: Linux's places on x86-64 with 48-bit addresses (`Documentation/arch/x86/x86_64/mm`).
/// They are canonical with 57 bits too, so one layout serves every driver.
public enum KernelLayout {
  /// Where physical address 0 is in the map of all memory (Linux: `PAGE_OFFSET`); 64 TiB are kept for it.
  public static var directMap: VirtualAddress { VirtualAddress(0xFFFF_8880_0000_0000) }

  /// Where allocations and mappings of chosen frames are (Linux: `VMALLOC_START`); 32 TiB.
  public static var mappings: VirtualRange {
    VirtualRange(VirtualAddress(0xFFFF_C900_0000_0000), VirtualAddress(0xFFFF_E900_0000_0000))
  }

  /// The first address that belongs to the kernel.
  public static var start: VirtualAddress { VirtualAddress(0xFFFF_8000_0000_0000) }
}

/// How kernel memory is allocated or mapped.
public struct KernelMemoryOptions: OptionSet, Sendable, Hashable {
  /// The bits; they have no meaning outside.
  public let rawValue: UInt8
  /// Wraps bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Contents are zero (Linux: `vzalloc`).
  public static var zeroed: Self { Self(rawValue: 1) }
  /// Huge pages as far as the size allows and blocks are free (Linux: `vmalloc_huge`).
  public static var huge: Self { Self(rawValue: 2) }
}

/// A page of a kernel mapping: frames that are contiguous and mapped together.
@usableFromInline struct KernelPiece: Sendable, Equatable {
  @usableFromInline var frame: FrameNumber
  @usableFromInline var size: PageSize

  @usableFromInline init(_ frame: FrameNumber, _ size: PageSize) {
    self.frame = frame
    self.size = size
  }
}

/// One mapping of the kernel's.
public struct KernelArea: Sendable {
  /// Its addresses. The page behind them is never mapped: an access past the end faults.
  public internal(set) var range: VirtualRange
  /// Whether it was freed, and waits for the flush: its addresses and frames are not given out before that.
  public internal(set) var isFreed = false
  /// Whether the frames were allocated with it; else somebody gave them, and they are held.
  public let ownsFrames: Bool
  @usableFromInline let pieces: [KernelPiece]

  init(_ range: VirtualRange, _ pieces: [KernelPiece], ownsFrames: Bool) {
    self.range = range
    self.pieces = pieces
    self.ownsFrames = ownsFrames
  }

  /// How many huge pages it was made of.
  public var hugePages: Int { pieces.count { $0.size > .base } }
}

// SPDX-License-Identifier: MIT
internal import Mutations
public import SimMemory

/// Properties of a mapping besides its rights.
@frozen public struct VMAFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits; they have no meaning outside.
  public let rawValue: UInt32
  /// Wraps bits.
  @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Stores reach the file and other mappings of it.
  @inlinable public static var shared: Self { Self(rawValue: 1 << 0) }
  /// The mapping may be made writable (a shared mapping of a file opened read-only may not).
  @inlinable public static var mayWrite: Self { Self(rawValue: 1 << 1) }
  /// Grows towards lower addresses on a fault below it.
  @inlinable public static var growsDown: Self { Self(rawValue: 1 << 2) }
  /// Pages stay in memory (mlock).
  @inlinable public static var locked: Self { Self(rawValue: 1 << 3) }
  /// Locked pages come in when they are touched, not at once (MLOCK_ONFAULT).
  @inlinable public static var lockedOnFault: Self { Self(rawValue: 1 << 4) }
  /// Children do not get the mapping (MADV_DONTFORK).
  @inlinable public static var dontFork: Self { Self(rawValue: 1 << 5) }
  /// Children get it empty (MADV_WIPEONFORK).
  @inlinable public static var wipeOnFork: Self { Self(rawValue: 1 << 6) }
  /// Not charged against the commit limit (MAP_NORESERVE).
  @inlinable public static var noReserve: Self { Self(rawValue: 1 << 7) }
  /// Huge pages are welcome (MADV_HUGEPAGE).
  @inlinable public static var hugePages: Self { Self(rawValue: 1 << 8) }
  /// No huge pages (MADV_NOHUGEPAGE).
  @inlinable public static var noHugePages: Self { Self(rawValue: 1 << 9) }
  /// Equal pages may be merged (MADV_MERGEABLE).
  @inlinable public static var mergeable: Self { Self(rawValue: 1 << 10) }
  /// Not in core dumps (MADV_DONTDUMP).
  @inlinable public static var dontDump: Self { Self(rawValue: 1 << 11) }
  /// Will be read in order (MADV_SEQUENTIAL).
  @inlinable public static var sequential: Self { Self(rawValue: 1 << 12) }
  /// Will be read in no order (MADV_RANDOM).
  @inlinable public static var random: Self { Self(rawValue: 1 << 13) }
  /// Private pages of its own exist, so a fork has something to copy.
  @inlinable public static var hasPrivatePages: Self { Self(rawValue: 1 << 14) }
  /// Was mapped by the loader before the trace began: what is known of it was inferred.
  @inlinable public static var inferred: Self { Self(rawValue: 1 << 15) }
  /// A SysV shared-memory attachment.
  @inlinable public static var sharedMemorySegment: Self { Self(rawValue: 1 << 16) }
  /// May not be unmapped, moved or changed any more (mseal).
  @inlinable public static var sealed: Self { Self(rawValue: 1 << 17) }
  /// The program's break.
  @inlinable public static var heap: Self { Self(rawValue: 1 << 18) }
  /// May not be made writable through its file description (opened read-only, or a write seal).
  @inlinable public static var mayExecute: Self { Self(rawValue: 1 << 19) }
  /// Pages may vanish and read as zero again (MAP_DROPPABLE).
  @inlinable public static var droppable: Self { Self(rawValue: 1 << 21) }
  /// Huge pages were mapped here, and some may still be.
  @inlinable public static var hasHugePages: Self { Self(rawValue: 1 << 22) }
  /// Its pages count as promised memory (Linux: VM_ACCOUNT).
  @inlinable public static var accounted: Self { Self(rawValue: 1 << 28) }
  /// Pages can be guarded (MADV_GUARD_INSTALL was used).
  @inlinable public static var hasGuards: Self { Self(rawValue: 1 << 20) }
}

/// One virtual memory area: a range of addresses with the same rights and the same backing.
///
/// Plain data: files are numbers in the kernel's file table.
@frozen public struct VMA: Sendable, Hashable, BitwiseCopyable {
  /// The addresses.
  public var range: VirtualRange
  /// What programs may do.
  public var rights: Rights
  /// The protection key, 0 to 15.
  public var key: UInt8 = 0
  /// The number of its memory policy; 0 for none.
  public var policy: UInt16 = 0
  /// Other properties.
  public var flags: VMAFlags
  /// The mapped file; `.none` for private anonymous memory.
  public var file: FileID
  /// Bytes from the file's start to `range.start`; for private anonymous memory the address that `range.start` had
  /// when its pages were mapped first.
  public var offset: UInt64
  /// The number of the group of its private pages; 0 while there are none.
  public var group: UInt32 = 0
  /// The number of the userfaultfd that is told of its faults; 0 for none.
  public var userfault: UInt32 = 0

  /// A mapping.
  @inlinable
  public init(
    _ range: VirtualRange, rights: Rights, flags: VMAFlags, file: FileID = .none, offset: UInt64 = 0
  ) {
    self.range = range
    self.rights = rights
    self.flags = flags
    self.file = file
    self.offset = offset
  }

  /// Whether it is private memory without a file.
  @inlinable public var isAnonymous: Bool { file == .none }
  /// Whether stores are kept from the file and from other processes.
  @inlinable public var isPrivate: Bool { !flags.contains(.shared) }
  /// Whether it counts as data: private, writable, and no stack.
  @inlinable public var isData: Bool {
    rights.contains(.write) && flags.isDisjoint(with: [.shared, .growsDown])
  }

  /// The page offset of `address`: in the file, or for anonymous memory that of the original address.
  @inlinable public func filePage(at address: VirtualAddress) -> UInt64 {
    (offset &+ (address.raw &- range.start.raw)) &>> UInt64(PageSize.baseShift)
  }

  /// The part of the area that lies in `part`, its offset moved along.
  public func cut(to part: VirtualRange) -> VMA {
    var piece = self
    piece.range = range.intersection(part)
    if !Mutation.cutKeepsOffset.isPlanted {
      piece.offset = offset &+ (piece.range.start.raw &- range.start.raw)
    }
    return piece
  }

  /// Flags that say something of some pages only, so that they neither part areas nor get lost when areas join.
  static var pageMarks: VMAFlags { [.hasPrivatePages, .hasGuards, .hasHugePages, .softDirty] }

  /// Whether the two areas, the second right behind the first, can be one. Offsets have to go on, and private pages of
  /// both have to be of one group, because pages are found by these.
  public func joins(_ next: VMA) -> Bool {
    let ignored = VMA.pageMarks
    return range.end == next.range.start && rights == next.rights && key == next.key
      && userfault == next.userfault && policy == next.policy
      && file == next.file
      && flags.subtracting(ignored) == next.flags.subtracting(ignored)
      && !flags.contains(.sharedMemorySegment)
      && (offset &+ range.bytes == next.offset || Mutation.areasJoinAnywhere.isPlanted)
      && (group == next.group || group == 0 || next.group == 0)
  }
}

/// A file's number in the kernel's file table. Plain data, so that mappings are plain data too.
@frozen public struct FileID: Hashable, Sendable, BitwiseCopyable {
  /// The number; 0 is no file.
  public var raw: UInt32
  /// Wraps a number.
  @inlinable public init(_ raw: UInt32) { self.raw = raw }
  /// No file.
  @inlinable public static var none: Self { Self(0) }
}

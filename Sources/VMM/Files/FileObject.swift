// SPDX-License-Identifier: MIT
public import SimMemory

/// Rules that a memfd's owner imposes (F_SEAL_*), with Linux's bits.
public struct Seals: OptionSet, Sendable, Hashable {
  /// F_SEAL_* bits.
  public let rawValue: UInt32
  /// Wraps F_SEAL_* bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// No further seals.
  public static var seal: Seals { Seals(rawValue: 1) }
  /// The file does not get smaller.
  public static var shrink: Seals { Seals(rawValue: 2) }
  /// The file does not get larger.
  public static var grow: Seals { Seals(rawValue: 4) }
  /// Contents do not change.
  public static var write: Seals { Seals(rawValue: 8) }
  /// No new way to change contents.
  public static var futureWrite: Seals { Seals(rawValue: 16) }
  /// Mode bits for execution do not change.
  public static var execute: Seals { Seals(rawValue: 32) }
  /// Every seal that exists.
  public static var all: Seals { Seals(rawValue: 63) }
}

/// A file with its page cache. Files live in memory only; their pages are frames of simulated memory.
public final class FileObject {
  /// What kind of file it is.
  public enum Kind: Sendable {
    /// A file of a file system.
    case regular
    /// Shared memory: SysV segments, memfd, shared anonymous mappings, `/dev/shm`.
    case sharedMemory
    /// A file of pooled huge pages.
    case hugeTLB
    /// A device whose memory is mapped directly.
    case device
    /// Another device, or a file of the kernel's own: what it can do is not known.
    case special
    /// Something that cannot be mapped: a directory, a pipe, a terminal.
    case notMappable
  }
  /// The kind.
  public var kind: Kind
  /// The size in bytes as far as it is known.
  public var size: UInt64
  /// Whether the file may be larger than `size`: it existed before anybody told how large it is.
  public var mayBeLarger: Bool
  /// Whether its mode lets it be executed: a memfd's does unless it was made otherwise.
  public var mayExecute = true
  /// What its owner sealed.
  public var seals: Seals
  /// The pages that are in memory.
  public var pages = PageIndex()
  /// The address spaces that map it.
  public var mappers = Mappers()
  /// Pages that reclaim wrote back, unless the file is shared memory.
  public let store = PageStore()
  /// Swap slots of pages of shared memory that reclaim took.
  public var slots = SlotIndex()
  /// Whether contents of pages that are not in memory are elsewhere.
  public var hasEvictedPages: Bool { store.count > 0 || slots.count > 0 }
  /// How many open files and segments hold the file.
  public var holders = 0
  /// How many pages of all layouts map the file: a count that splitting and merging areas does not change.
  public var mappedPages: UInt64 = 0
  /// How many of them belong to shared mappings that may be written.
  public var writableMappedPages: UInt64 = 0
  /// What it has if its pages are pooled huge pages; `pages` is empty then.
  @usableFromInline var hugeTLB: HugeFile?
  /// The memory of a device.
  var device: DeviceMemory?
  /// What a userfaultfd keeps, if the file is one.
  public internal(set) var userfault: Userfault?
  /// Pages of shared memory that were promised when it was made.
  public var accountedPages: UInt64 = 0
  /// Where its pages are to come from, if it is shared memory.
  public internal(set) var policies = SharedPolicies()
  /// Whether reclaim leaves its pages alone, because it is a locked segment.
  @usableFromInline var staysInMemory = false
  /// Whether a name leads to it.
  public var hasName = false

  init(kind: Kind, size: UInt64, mayBeLarger: Bool, seals: Seals) {
    self.kind = kind
    self.size = size
    self.mayBeLarger = mayBeLarger
    self.seals = seals
  }

  /// Whether `page` begins behind the end of the file, so that touching it is a bus error.
  public func isBeyondEnd(page: UInt64) -> Bool {
    !mayBeLarger && page >= (size &+ PageSize.base.mask) &>> 12
  }

  /// The file has at least `bytes`: something was read or written up to there.
  public func reach(_ bytes: UInt64) { size = max(size, bytes) }
}

// SPDX-License-Identifier: MIT
public import SimMemory

/// Why a fault waits for user space.
@frozen public enum UserfaultReason: UInt8, Sendable, BitwiseCopyable {
  /// No page is there.
  case missing
  /// The file has the page, but it is not mapped.
  case minor
  /// The page is write-protected on behalf of a userfaultfd.
  case writeProtected
}

/// What a monitor learns of a fault (Linux: `struct uffd_msg` with UFFD_EVENT_PAGEFAULT).
public struct UserfaultEvent: Sendable, Equatable {
  /// The page's address, or the exact one with UFFD_FEATURE_EXACT_ADDRESS.
  public var address: VirtualAddress
  /// Why.
  public var reason: UserfaultReason
  /// Whether the access was a store.
  public var isStore: Bool

  /// UFFD_PAGEFAULT_FLAG_WRITE 1, WP 2, MINOR 4.
  public var flags: UInt64 {
    (isStore ? 1 : 0) | (reason == .writeProtected ? 2 : 0) | (reason == .minor ? 4 : 0)
  }
}

/// What a userfaultfd keeps: the address space that it is about, events, and faults that wait.
public final class Userfault {
  /// The address space's number; nil once that is gone.
  var space: UInt16?
  /// Whether UFFDIO_API was called.
  var isReady = false
  /// UFFD_FEATURE_* bits that were asked for.
  var features: UInt64 = 0
  /// Events that no monitor has taken yet.
  var events: [UserfaultEvent] = []
  /// Numbers of pages that faults wait for.
  var waiting: Set<UInt64> = []

  init(space: UInt16) { self.space = space }

  /// Lets faults on pages of `range` be tried again.
  func wake(_ range: VirtualRange) {
    let pages = range.start.pageNumber..<range.start.pageNumber + range.pages
    waiting = waiting.filter { !pages.contains($0) }
  }

  /// A fault waits: it becomes an event, unless one is under way for the page.
  func wait(_ address: VirtualAddress, _ reason: UserfaultReason, isStore: Bool) {
    guard waiting.insert(address.pageNumber).inserted else { return }
    let shown = features & Userfault.exactAddress != 0 ? address : address.aligned(down: .base)
    events.append(UserfaultEvent(address: shown, reason: reason, isStore: isStore))
  }

  /// UFFD_FEATURE_PAGEFAULT_FLAG_WP, MISSING_SHMEM, MINOR_SHMEM, EXACT_ADDRESS, POISON and
  /// MOVE.
  static var knownFeatures: UInt64 { 1 << 0 | 1 << 5 | 1 << 10 | exactAddress | 1 << 14 | 1 << 16 }
  static var exactAddress: UInt64 { 1 << 11 }
}

/// The calls of a userfaultfd: Linux's `ioctl` numbers.
@usableFromInline enum UserfaultCommand: UInt64 {
  case api = 0xC018_AA3F
  case register = 0xC020_AA00
  case unregister = 0x8010_AA01
  case wake = 0x8010_AA02
  case copy = 0xC028_AA03
  case zeroPage = 0xC020_AA04
  case writeProtect = 0xC018_AA06
  case proceed = 0xC020_AA07
  case poison = 0xC020_AA08
  case move = 0xC028_AA05

  /// How many words of its structure a command reads.
  @usableFromInline var words: UInt64 {
    switch self {
    case .copy, .move: 4
    case .unregister, .wake: 2
    default: 3
    }
  }

  /// The bit that says in answers that the command works.
  var bit: UInt64 { 1 << (rawValue & 0x3F) }
}

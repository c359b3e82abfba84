// SPDX-License-Identifier: MIT
internal import SimMemory

/// Why a fault waits for user space.
@frozen public enum UserfaultReason: UInt8, Sendable, BitwiseCopyable {
  /// No page is there.
  case missing
  /// The file has the page, but it is not mapped.
  case minor
  /// The page is write-protected on behalf of a userfaultfd.
  case writeProtected
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
  /// The userfaultfd that this one was made after, while the fork that makes it is under way.
  var original: FileID?

  init(space: UInt16) { self.space = space }

  /// Whether the layout changed in a way that the monitor has not read of yet: pages that it would provide now could be
  /// meant for another place (Linux: `mmap_changing`).
  @usableFromInline var isChanging: Bool { events.contains { $0.kind != .pageFault } }

  /// Whether all of these features were asked for.
  func has(_ wanted: UInt64) -> Bool { features & wanted == wanted }

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

  /// What can be asked for: bits of UFFD_FEATURE_*.
  static var knownFeatures: UInt64 {
    1 << 0 | eventFork | eventRemap | eventRemove | 1 << 5 | eventUnmap | 1 << 10 | exactAddress | 1 << 12
      | protectsUnpopulated | 1 << 14 | 1 << 16
  }
  @usableFromInline static var eventFork: UInt64 { 1 << 1 }
  static var eventRemap: UInt64 { 1 << 2 }
  static var eventRemove: UInt64 { 1 << 3 }
  static var eventUnmap: UInt64 { 1 << 6 }
  static var exactAddress: UInt64 { 1 << 11 }
  @usableFromInline static var protectsUnpopulated: UInt64 { 1 << 13 }
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

  /// Whether it maps pages, so that it has to know where they belong now.
  @usableFromInline var providesPages: Bool {
    switch self {
    case .copy, .zeroPage, .proceed, .poison, .move: true
    default: false
    }
  }

  /// The bit that says in answers that the command works.
  var bit: UInt64 { 1 << (rawValue & 0x3F) }
}

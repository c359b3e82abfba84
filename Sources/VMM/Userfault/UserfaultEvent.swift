// SPDX-License-Identifier: MIT
public import SimMemory

/// What a monitor reads from a userfaultfd (Linux: `struct uffd_msg`).
public struct UserfaultEvent: Sendable, Equatable {
  /// What happened, with Linux's numbers (UFFD_EVENT_*).
  public enum Kind: UInt8, Sendable {
    /// A fault waits.
    case pageFault = 0x12
    /// The process forked.
    case fork = 0x13
    /// Watched pages have moved.
    case remap = 0x14
    /// Watched pages were dropped.
    case remove = 0x15
    /// Watched areas are gone.
    case unmap = 0x16
  }

  /// What happened.
  public var kind = Kind.pageFault
  /// The page's address, or the exact one with UFFD_FEATURE_EXACT_ADDRESS.
  public var address = VirtualAddress(0)
  /// Why a fault waits.
  public var reason = UserfaultReason.missing
  /// Whether the access was a store.
  public var isStore = false
  /// The addresses that moved, were dropped or unmapped.
  public var range = VirtualRange(VirtualAddress(0), bytes: 0)
  /// Where moved pages are now.
  public var target = VirtualAddress(0)
  /// The descriptor, made for whoever takes the event, of the child's userfaultfd.
  public var descriptor: UInt32 = 0
  /// The child's userfaultfd.
  var file = FileID.none

  init(_ kind: Kind, _ range: VirtualRange = VirtualRange(VirtualAddress(0), bytes: 0)) {
    self.kind = kind
    self.range = range
  }

  init(address: VirtualAddress, reason: UserfaultReason, isStore: Bool) {
    self.address = address
    self.reason = reason
    self.isStore = isStore
  }

  /// UFFD_PAGEFAULT_FLAG_WRITE 1, WP 2, MINOR 4.
  public var flags: UInt64 {
    (isStore ? 1 : 0) | (reason == .writeProtected ? 2 : 0) | (reason == .minor ? 4 : 0)
  }

  /// The 32 bytes of the message, as four little-endian words.
  public var words: [UInt64] {
    switch kind {
    case .pageFault: [UInt64(kind.rawValue), flags, address.raw, 0]
    case .fork: [UInt64(kind.rawValue), UInt64(descriptor), 0, 0]
    case .remap: [UInt64(kind.rawValue), range.start.raw, target.raw, range.bytes]
    case .remove, .unmap: [UInt64(kind.rawValue), range.start.raw, range.end.raw, 0]
    }
  }
}

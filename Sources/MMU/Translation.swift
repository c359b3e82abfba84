// SPDX-License-Identifier: MIT
public import Mutations
public import SimMemory

/// Where a page is and what may be done with it: what a walk finds and a TLB keeps, in one word.
///
/// ```
///  63..52  51........12  11..6            5      4       3           2     1         0
///  0       page start    size as a shift  dirty  global  executable  user  writable  present
/// ```
/// The word is the simulator's own; no software format has this shape.
@frozen public struct Translation: Hashable, Sendable, BitwiseCopyable {
  /// The 64 bits; zero is no translation.
  public let raw: UInt64

  /// Wraps the bits of a translation.
  @inlinable public init(raw: UInt64) { self.raw = raw }

  /// A translation of the page of `size` at `page`; `rights` are flags of this type.
  @inlinable public init(page: PhysicalAddress, size: PageSize, rights: UInt64) {
    raw = page.raw & ~size.mask & Translation.pageMask | UInt64(size.shift) &<< 6 | rights | 1
  }

  /// There is a translation.
  @inlinable public static var present: UInt64 { 1 }
  /// Stores are allowed.
  @inlinable public static var writable: UInt64 { 1 &<< 1 }
  /// User mode is allowed.
  @inlinable public static var user: UInt64 { 1 &<< 2 }
  /// Instruction fetches are allowed.
  @inlinable public static var executable: UInt64 { 1 &<< 3 }
  /// Valid in every address space.
  @inlinable public static var global: UInt64 { 1 &<< 4 }
  /// The entry in memory has its dirty bit set, so that a store needs no walk.
  @inlinable public static var dirty: UInt64 { 1 &<< 5 }
  /// The bits of the page's start.
  @inlinable public static var pageMask: UInt64 { 0x000F_FFFF_FFFF_F000 }

  /// Whether stores are allowed.
  @inlinable public var isWritable: Bool { raw & Translation.writable != 0 }
  /// Whether user mode is allowed.
  @inlinable public var isUser: Bool { raw & Translation.user != 0 }
  /// Whether instruction fetches are allowed.
  @inlinable public var isExecutable: Bool { raw & Translation.executable != 0 }
  /// Whether it is valid in every address space.
  @inlinable public var isGlobal: Bool { raw & Translation.global != 0 }
  /// Whether the entry's dirty bit was set when it was read.
  @inlinable public var isDirty: Bool { raw & Translation.dirty != 0 }
  /// The size of the page.
  @inlinable public var size: PageSize { PageSize(shift: UInt8(truncatingIfNeeded: raw &>> 6 & 63)) }
  /// The physical start of the page.
  @inlinable public var page: PhysicalAddress { PhysicalAddress(raw & Translation.pageMask) }

  /// The physical address that `address`, which lies in the page, stands for.
  @inlinable public func physical(_ address: VirtualAddress) -> PhysicalAddress {
    PhysicalAddress(raw & Translation.pageMask | address.raw & size.mask)
  }

  /// The part of the page that holds `address` and has `size`, not above the page's own.
  @inlinable func part(_ address: VirtualAddress, _ size: PageSize) -> Translation {
    Translation(page: physical(address), size: size, rights: raw & 0x3F)
  }

  /// The flags that an access needs.
  ///
  /// Supervisor stores obey the writable flag (CR0.WP = 1); the supervisor may use user pages (no SMAP, no SMEP);
  /// the execute-disable bit counts (EFER.NXE = 1). A store also needs the dirty flag, which only a walk sets.
  @inlinable @inline(__always)
  public static func required(_ access: AccessKind, isUser: Bool) -> UInt64 {
    let mode = isUser ? present | user : present
    switch access {
    case .fetch: return Mutation.noExecuteIgnored.isPlanted ? mode : mode | executable
    case .load: return mode
    case .store: return Mutation.storeLeavesClean.isPlanted ? mode | writable : mode | writable | dirty
    }
  }

  /// Why an access that needs `required` is refused, or nil when it is allowed; dirty is not looked at.
  @inlinable public func refusal(_ required: UInt64) -> FaultReason? {
    let missing = required & ~raw
    if missing & Translation.present != 0 { return .notMapped }
    if missing & Translation.user != 0 { return .notUser }
    if missing & Translation.writable != 0 { return .notWritable }
    if missing & Translation.executable != 0 { return .notExecutable }
    return nil
  }
}

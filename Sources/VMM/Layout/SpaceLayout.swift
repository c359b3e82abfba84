// SPDX-License-Identifier: MIT
public import SimMemory

/// The borders of user addresses.
public enum UserSpace {
  /// Behind the last address that programs get without asking for more: 47 bits less a guard page, whatever the hardware
  /// translates, as Linux has it. See `Kernel.userEnd`.
  @inlinable public static var end: VirtualAddress { VirtualAddress(0x7FFF_FFFF_F000) }
  /// Below this nothing is mapped unless it is asked for by address.
  @inlinable public static var minimum: VirtualAddress { VirtualAddress(0x1_0000) }
  /// Where mappings without an address are looked for, from above.
  @inlinable public static var mappingTop: VirtualAddress { VirtualAddress(0x7FFF_F7FF_F000) }
}

extension VirtualAddress {
  /// Whether an access here can reach a mapping, or fails as an ordinary page fault: the address is in the half that ends
  /// a page behind `userEnd`, or in its mirror image at the top.
  @inlinable public func isCanonical(userEnd: VirtualAddress) -> Bool {
    let half = userEnd.raw &+ PageSize.base.bytes
    return raw < half || raw >= 0 &- half
  }
}

/// The layout of one address space: what is mapped where, without a page table in sight.
public struct SpaceLayout: Sendable {
  /// The mappings.
  public var areas = VMASet()
  /// Limits.
  public var limits = ResourceLimits()
  /// Whether soft-dirty bits were ever cleared, so that stores have to be noted.
  public internal(set) var tracksSoftDirty = false
  /// Whether some area may be merged, or could be: the merging job looks at the space.
  public internal(set) var mayMerge = false
  /// Whether every area that can be may be merged (PR_SET_MEMORY_MERGE). Children and new programs inherit it.
  public internal(set) var mergesEverything = false
  /// Whether the process gets no huge pages, whatever the policy (PR_SET_THP_DISABLE). Inherited likewise.
  public internal(set) var disablesHugePages = false
  /// Where memory is to come from.
  public internal(set) var placement = TaskPlacement()
  /// Which protection keys are handed out.
  public var protectionKeys = ProtectionKeys()
  /// Where the break started, and where it is; nil before the first `brk` or mapping of the program.
  public var breakStart: VirtualAddress?
  /// The end of the break, in bytes.
  public var breakEnd = VirtualAddress(0)
  /// The addresses of the pooled huge pages that private mappings were promised and have not got yet.
  var hugeReservations: Set<UInt64> = []
  /// Flags that new mappings get (mlockall with MCL_FUTURE).
  public var futureFlags: VMAFlags = []

  /// An empty layout.
  public init() {}

  /// Mapped bytes.
  public var mappedBytes: UInt64 { areas.areas.reduce(0) { $0 + $1.range.bytes } }

  /// Locked bytes.
  public var lockedBytes: UInt64 {
    areas.areas.reduce(0) { $0 + ($1.flags.contains(.locked) ? $1.range.bytes : 0) }
  }

  /// Bytes of private mappings that may be written, stacks aside: what RLIMIT_DATA counts.
  public var dataBytes: UInt64 { areas.areas.reduce(0) { $0 + ($1.isData ? $1.range.bytes : 0) } }
}

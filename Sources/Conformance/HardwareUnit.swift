// SPDX-License-Identifier: MIT
public import EMTCore
public import MMU
public import SimMemory

/// The translation hardware of one CPU as a differential run uses it.
///
/// Its functions are compiled for the walker where the unit is made, so that a run over any driver can call them.
public struct HardwareUnit<Root>: Sendable {
  /// What the tables say for a load of the supervisor, without any cache and without setting bits.
  public let probe: @Sendable (Root, VirtualAddress) -> HardwareView?
  /// An access, user's or supervisor's, that uses walk caches and sets bits; nil when it is refused.
  public let access: @Sendable (Root, VirtualAddress, AccessKind, Bool) -> HardwareView?
  /// Forgets what walk caches know about a range of one address space, or of every one (nil).
  public let forget: @Sendable (AddressSpaceID?, VirtualRange?) -> Void
  /// Frees the unit.
  public let release: @Sendable () -> Void

  /// A unit around `walker`, which it owns.
  @inlinable public init<Walker: PageWalker>(_ walker: Walker) where Walker.Root == Root {
    probe = { HardwareView(walker.probe($0, $1, .load, isUser: false)) }
    access = { HardwareView(walker.walk($0, $1, $2, isUser: $3)) }
    forget = { space, range in
      if let space {
        walker.invalidate(spaceID: space.raw, range: range)
      } else {
        walker.invalidateEveryone(range: range)
      }
    }
    release = { walker.release() }
  }
}

extension HardwareView {
  /// What a walk found; nil for a fault.
  @inlinable public init?(_ result: WalkResult) {
    guard let found = result.translation else { return nil }
    self.init(physicalAddress: found.page, size: found.size, isWritable: found.isWritable)
  }
}

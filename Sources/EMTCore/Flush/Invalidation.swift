// SPDX-License-Identifier: MIT
public import SimMemory

/// What one CPU must forget: a request that its mailbox holds until the CPU looks.
@frozen public struct Invalidation: Sendable, Equatable, BitwiseCopyable {
  /// Whose translations.
  @frozen public enum Scope: Sendable, Equatable, BitwiseCopyable {
    /// Those of one address space.
    case space(AddressSpaceID)
    /// Everybody's: the kernel's own translations changed.
    case everyone
  }
  /// Whose translations.
  public let scope: Scope
  /// Which addresses; nil means all.
  public let range: VirtualRange?

  /// A request.
  @inlinable public init(scope: Scope, range: VirtualRange?) {
    self.scope = scope
    self.range = range
  }
}

/// The tag by which a TLB tells address spaces apart. 0 is the kernel's.
@frozen public struct AddressSpaceID: Hashable, Sendable, BitwiseCopyable {
  /// The tag.
  public let raw: UInt16
  /// Wraps a tag.
  @inlinable public init(_ raw: UInt16) { self.raw = raw }
  /// The kernel's tag.
  @inlinable public static var kernel: Self { Self(0) }
}

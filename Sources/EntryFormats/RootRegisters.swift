// SPDX-License-Identifier: MIT
public import SimMemory

/// What the walker of a radix tree starts from: CR3 with its process-context identifier.
@frozen public struct RadixRoot: Hashable, Sendable, BitwiseCopyable {
  /// The root node.
  public var table: PhysicalAddress
  /// The tag of the address space in TLBs; 0 is the kernel's.
  public var spaceID: UInt16

  /// Register contents.
  @inlinable public init(table: PhysicalAddress, spaceID: UInt16) {
    self.table = table
    self.spaceID = spaceID
  }
}

/// What the walker of hashed tables starts from: where the user's and the kernel's table descriptors are.
///
/// A descriptor is one aligned block in simulated memory (`HashedDescriptor`) that names the arrays of every page
/// size, so that a table can be resized without reloading the registers of every CPU.
@frozen public struct HashedRoot: Hashable, Sendable, BitwiseCopyable {
  /// Descriptor for the lower half of the address space.
  public var user: PhysicalAddress
  /// Descriptor for the upper half, shared by all processes.
  public var kernel: PhysicalAddress
  /// The tag of the address space in TLBs; 0 is the kernel's.
  public var spaceID: UInt16

  /// Register contents.
  @inlinable public init(user: PhysicalAddress, kernel: PhysicalAddress, spaceID: UInt16) {
    self.user = user
    self.kernel = kernel
    self.spaceID = spaceID
  }
}

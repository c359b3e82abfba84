// SPDX-License-Identifier: MIT
public import SimMemory

/// What the walker of a radix tree of one shape starts from: CR3 with its process-context identifier. The shape is part
/// of the type, so that a tree cannot be given to the walker of another one.
@frozen public struct RadixTreeRoot<Shape: RadixShape>: Hashable, Sendable, BitwiseCopyable {
  /// The root node of the lower half of the address space, or of all of it; bit 0 is `FPTFormat.rootMark`.
  public var table: PhysicalAddress
  /// The root node of the upper half; used by shapes with a kernel root only.
  public var kernelTable: PhysicalAddress
  /// The tag of the address space in TLBs; 0 is the kernel's.
  public var spaceID: UInt16

  /// Register contents; without `kernelTable`, one root serves both halves.
  @inlinable public init(table: PhysicalAddress, kernelTable: PhysicalAddress? = nil, spaceID: UInt16) {
    self.table = table
    self.kernelTable = kernelTable ?? table
    self.spaceID = spaceID
  }

  /// Where the walk for `address` starts.
  @inlinable @inline(__always) public func start(for address: VirtualAddress) -> PhysicalAddress {
    Shape.hasKernelRoot && address.raw &>> 63 != 0 ? kernelTable : table
  }
}

/// CR3 of four-level paging.
public typealias RadixRoot = RadixTreeRoot<RadixFormat>

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

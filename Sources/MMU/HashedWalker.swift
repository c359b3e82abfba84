// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// What a hashed walker costs inside.
public struct HashedWalkerConfiguration: Hashable, Sendable {
  /// Cycles to hash an address.
  public var cyclesPerHash: UInt16

  /// A configuration; 5 cycles suit two multiplications that are not pipelined with the probes.
  public init(cyclesPerHash: UInt16 = 5) { self.cyclesPerHash = cyclesPerHash }
}

/// Walks hashed page tables (`HashedFormat`, `HashedDescriptor`).
///
/// One reference for each line of the descriptor, and one for each cluster, which is one line too; a probe waits for
/// the one before. Tables that hold nothing cost no reference. Tables are searched smallest pages first.
@frozen public struct HashedWalker: PageWalker {
  /// Two descriptors.
  public typealias Root = HashedRoot
  /// The cost of hashing.
  public typealias Configuration = HashedWalkerConfiguration

  @usableFromInline let memory: PhysicalMemory
  @usableFromInline let cyclesPerHash: UInt16

  /// A walker; it remembers nothing between walks.
  public init(
    memory: PhysicalMemory, configuration: HashedWalkerConfiguration = HashedWalkerConfiguration()
  ) {
    self.memory = memory.used(by: .hardware)
    cyclesPerHash = configuration.cyclesPerHash
  }

  /// Five cycles for a hash.
  public static var standardConfiguration: HashedWalkerConfiguration { HashedWalkerConfiguration() }

  /// The register's tag.
  @inlinable @inline(__always) public static func spaceID(of root: HashedRoot) -> UInt16 { root.spaceID }

  /// Probes until it finds the page. Expected probes: ½(1 + 1/(1 − load)) for each table up to the right one.
  @inlinable public func walk<Recorder: WalkRecorder>(
    _ root: HashedRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    translate(root, address, access, isUser: isUser, isSilent: false, &recorder)
  }

  /// The same without setting bits.
  @inlinable public func probe<Recorder: WalkRecorder>(
    _ root: HashedRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    translate(root, address, access, isUser: isUser, isSilent: true, &recorder)
  }
}

// SPDX-License-Identifier: MIT
public import EntryFormats
public import SimMemory

/// Sizes and costs of an elastic-cuckoo walker's own structures.
public struct ECPTWalkerConfiguration: Hashable, Sendable {
  /// Rows of the walk table for 2 MiB that are cached; 0: no cache.
  public var pmdRows: Int
  /// Rows of the walk table for 1 GiB that are cached; 0: no cache.
  public var pudRows: Int
  /// Cycles to hash an address, while the walk caches are looked into.
  public var cyclesPerHash: UInt16
  /// Cycles to look into a walk cache.
  public var cyclesPerProbe: UInt16

  /// 16 and 2 rows, 2 cycles and 1, as the EMT artifact has them.
  public init(
    pmdRows: Int = 16, pudRows: Int = 2, cyclesPerHash: UInt16 = 2, cyclesPerProbe: UInt16 = 1
  ) {
    self.pmdRows = pmdRows
    self.pudRows = pudRows
    self.cyclesPerHash = cyclesPerHash
    self.cyclesPerProbe = cyclesPerProbe
  }
}

/// Walks elastic cuckoo page tables (`ECPTFormat`, `ECPTRegisters`, `ECPTRow`).
///
/// The walk caches name page sizes and ways; the slots of those ways are read side by side, one line each, in one round.
/// A row that is missing in a cache is fetched in the same round. When nothing is found and not all nine ways were
/// read, a second round reads the others, and renews the rows: so headers are hints, and software never flushes them.
///
/// The walker keeps copies of the two register images coherent; when one has changed, a round reads its lines again.
@frozen public struct ECPTWalker: PageWalker {
  /// Two register images.
  public typealias Root = ECPTRoot
  /// Walk caches and hashing.
  public typealias Configuration = ECPTWalkerConfiguration

  @usableFromInline let memory: PhysicalMemory
  @usableFromInline let pmd: CuckooWalkCache
  @usableFromInline let pud: CuckooWalkCache
  @usableFromInline let copy: RegisterCopy
  @usableFromInline let ownCycles: UInt16

  /// A walker with empty walk caches; `release` frees them.
  public init(
    memory: PhysicalMemory, configuration: ECPTWalkerConfiguration = ECPTWalkerConfiguration()
  ) {
    self.memory = memory.used(by: .hardware)
    pmd = CuckooWalkCache(entries: configuration.pmdRows)
    pud = CuckooWalkCache(entries: configuration.pudRows)
    copy = RegisterCopy()
    ownCycles = max(configuration.cyclesPerHash, configuration.cyclesPerProbe)
  }

  /// 16 and 2 rows.
  public static var standardConfiguration: ECPTWalkerConfiguration { ECPTWalkerConfiguration() }

  /// The register's tag.
  @inlinable @inline(__always) public static func spaceID(of root: ECPTRoot) -> UInt16 { root.spaceID }

  /// One round when the walk caches are right, else two.
  @inlinable public func walk<Recorder: WalkRecorder>(
    _ root: ECPTRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    translate(root, address, access, isUser: isUser, isSilent: false, &recorder)
  }

  /// Reads every way, and leaves no trace.
  @inlinable public func probe<Recorder: WalkRecorder>(
    _ root: ECPTRoot, _ address: VirtualAddress, _ access: AccessKind, isUser: Bool,
    recorder: inout Recorder
  ) -> WalkResult {
    translate(root, address, access, isUser: isUser, isSilent: true, &recorder)
  }

  /// Forgets the rows of an address space that goes. A change in a range needs nothing: rows are hints.
  public func invalidate(spaceID: UInt16, range: VirtualRange?) {
    guard range == nil else { return }
    pmd.removeAll(spaceID: spaceID)
    pud.removeAll(spaceID: spaceID)
  }

  /// Forgets all rows.
  public func invalidateEveryone(range: VirtualRange?) {
    guard range == nil else { return }
    pmd.removeAll(spaceID: nil)
    pud.removeAll(spaceID: nil)
  }

  /// Frees the walk caches.
  public func release() {
    pmd.release()
    pud.release()
    copy.release()
  }
}
